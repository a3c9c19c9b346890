"""The forms of text that the kernel tells numbers in."""


def sizes(text: str) -> dict[str, int]:
    """Bytes by name, of lines such as ``MemTotal:  24684096 kB``."""
    told = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        number, *unit = rest.split()
        told[name] = int(number) * (1024 if unit else 1)
    return told


def counts(text: str) -> dict[str, int]:
    """Numbers by name, of lines such as ``pgfault 469025546``."""
    return {name: int(number) for name, number in (line.split()[:2] for line in text.splitlines() if line)}


def paired(text: str) -> dict[str, dict[str, int]]:
    """Numbers by table and name, of ``Tcp: InSegs OutSegs`` above ``Tcp: 7 9``, and of ``TCP: inuse 35 tw 4``."""
    told: dict[str, dict[str, int]] = {}
    heads: dict[str, list[str]] = {}
    for line in text.splitlines():
        table, _, rest = line.partition(":")
        words = rest.split()
        if len(words) > 1 and _is_number(words[1]) and not _is_number(words[0]):
            told[table] = {name: int(number) for name, number in zip(words[::2], words[1::2], strict=False)}
        elif table in heads:
            told[table] = dict(zip(heads.pop(table), map(int, words), strict=False))
        else:
            heads[table] = words
    return told


def _is_number(word: str) -> bool:
    return word.lstrip("-").isdigit()
