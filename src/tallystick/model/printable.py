"""Text of strangers, for terminals and headers."""


def printable(text: str) -> str:
    """The text on one line, with all escaped that would move or colour what stands beside it.

    Parameters
    ----------
    text
        Of whoever sends: ``a\\x1b[31m`` with a real escape becomes what is written here.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def on_a_line(text: str, chars_max: int) -> str:
    """The text as a database can hold it and a terminal can show it: on one line, cut to its limit."""
    if not text.isprintable():  # which is rare
        text = "".join(c if c.isprintable() else " " for c in text.encode("utf-8", "replace").decode())
    return " ".join(text.split())[:chars_max]
