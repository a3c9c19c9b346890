"""Entries of the table of names that nobody sent: made by rules, or one name apart for each sort of senders.

They begin with a byte that stands in no name, so they meet no name that could be a series; and who sends such bytes all
the same is refused, as only the router may say that an entry is its own.
"""

from collections.abc import Sequence

from tallystick.kernels.packed import Names

MADE = b"\x00"
"""Begins the entry of a name that a rule made of another one; the name of the series follows."""
VARIANT = b"\x01"
"""Begins the entry of a name as one sort of senders sends it; the number of the sort and the name follow."""

_LAST_MARK = VARIANT[0]
_DIGITS = 8
_BEHIND = len(VARIANT) + _DIGITS


def made_name(name: str) -> bytes:
    """The entry of a name that a rule made."""
    return MADE + name.encode()


def variant_names(sorts: Sequence[int], names: Sequence[bytes]) -> list[bytes]:
    """The entries of names for sorts of senders."""
    return [b"%b%08x%b" % (VARIANT, sort, name) for sort, name in zip(sorts, names, strict=True)]


def is_own(entry: bytes) -> bool:
    """Whether an entry looks like one of ours."""
    return entry[:1] in (MADE, VARIANT)


def sort_of(entry: bytes) -> int:
    """The sort of senders that a variant is for."""
    return int(entry[len(VARIANT) : _BEHIND], 16)


def shown(entry: bytes) -> bytes:
    """The name that an entry stands for, for whoever reads it."""
    if entry[:1] == MADE:
        return entry[1:]
    return entry[_BEHIND:] if entry[:1] == VARIANT else entry


def shown_names(names: Names) -> Names:
    """The same of many."""
    ours = names.arena[names.offsets[:-1]] <= _LAST_MARK
    return Names.of_bytes([shown(entry) for entry in names.encoded()]) if ours.any() else names


def shown_text(entry: str) -> str:
    """The same of text."""
    return shown(entry.encode()).decode() if entry[:1] in ("\x00", "\x01") else entry
