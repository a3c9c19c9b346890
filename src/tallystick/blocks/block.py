"""`Block`: names, of everyone or of some hosts, that are not taken; `Act`: who put it on the list or took it off."""

import ipaddress
from dataclasses import dataclass
from itertools import islice

from tallystick.kernels.globs import Globs
from tallystick.model.errors import BlockError
from tallystick.model.printable import on_a_line

PATTERN_CHARS_MAX = 1000
WHY_CHARS_MAX = 1000
WHO_CHARS_MAX = 200
_GLOBS_MAX = 100
_YEAR_9999_S = 253402300799

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Host = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Block:
    """Names that are not taken.

    Parameters
    ----------
    id
        Given by the list, never given twice.
    pattern
        A glob of whole names, in which ``*`` crosses dots and ``{a,b}`` is one of several.
    source
        Address of the host that it is for, or of a network; empty for everyone.
    since_s, until_s
        Epoch seconds; None as an end for good.
    why, who
        As whoever put it on the list said.
    """

    id: int
    pattern: str
    source: str
    since_s: float
    until_s: float | None
    why: str
    who: str

    @property
    def network(self) -> Network | None:
        """Whom it is for; None for everyone."""
        return ipaddress.ip_network(self.source) if self.source else None

    @property
    def globs(self) -> list[str]:
        """The pattern without braces: as many as there are ways to choose."""
        return spelt_out(self.pattern)


@dataclass(frozen=True, slots=True)
class Act:
    """A line of the audit trail.

    Parameters
    ----------
    at_s
        Epoch seconds.
    what
        ``block``, ``unblock``, or ``expire`` where nobody had to do anything.
    refused
        Samples that the block had kept out by then.
    """

    id: int
    at_s: float
    what: str
    pattern: str
    source: str
    until_s: float | None
    why: str
    who: str
    refused: int


def checked_block(pattern: str, source: str, until_s: float | None, why: str, who: str, now_s: float) -> Block:
    """A block that can be put on a list; it has no number yet.

    Raises
    ------
    BlockError
        If something in it is none; the sentence says what.
    """
    if not why.strip():
        raise BlockError(f"cannot block {pattern!r}: nobody says why; expected a reason, for whoever misses the data")
    if until_s is not None and not now_s < until_s <= _YEAR_9999_S:
        raise BlockError(
            f"cannot block {pattern!r} until {until_s:.0f}: expected a time to come, before the year 10000"
        )
    _check_pattern(pattern)
    said = on_a_line(why, WHY_CHARS_MAX), on_a_line(who, WHO_CHARS_MAX)
    return Block(0, pattern, in_own_form(source), now_s, until_s, *said)


def in_own_form(source: str) -> str:
    """An address or a network as it is always written; of a network the bits beyond its length are dropped.

    Raises
    ------
    BlockError
        If it is neither.
    """
    if not source:
        return ""
    try:
        network = ipaddress.ip_network(source.strip(), strict=False)
    except ValueError:
        raise BlockError(
            f"cannot block source {source[:100]!r}: it is no address; expected a host as 10.1.2.3 or a network as "
            "10.1.0.0/16"
        ) from None
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def host_in(host: str) -> Host | None:
    """A host as something that is in networks; None for one that has no address, or is not known."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def spelt_out(pattern: str) -> list[str]:
    """A pattern without its braces: ``{a,b}.c`` is ``a.c`` and ``b.c``. Braces that do not close are characters."""
    return list(islice(_ways(pattern), _GLOBS_MAX + 1))


def _ways(pattern: str) -> list[str]:
    begin = pattern.find("{")
    end = pattern.find("}", begin)
    if begin < 0 or end < 0:
        return [pattern]
    begin = pattern.rfind("{", 0, end)
    before, after = pattern[:begin], pattern[end + 1 :]
    found: dict[str, None] = {}
    for way in pattern[begin + 1 : end].split(","):
        for whole in _ways(before + way + after):
            found[whole] = None
            if len(found) > _GLOBS_MAX:
                return list(found)
    return list(found)


def _check_pattern(pattern: str) -> None:
    if not pattern.strip() or not pattern.isprintable() or " " in pattern:
        raise BlockError(f"cannot block {pattern[:100]!r}: no name looks like that; expected a glob as web.*.cpu")
    if len(pattern) > PATTERN_CHARS_MAX:
        raise BlockError(
            f"cannot block {pattern[:100]!r}...: it has {len(pattern)} characters; expected at most {PATTERN_CHARS_MAX}"
        )
    globs = spelt_out(pattern)
    if len(globs) > _GLOBS_MAX:
        raise BlockError(
            f"cannot block {pattern[:100]!r}: it spells out to more than {_GLOBS_MAX} globs; expected fewer"
        )
    try:
        Globs.of(globs)
    except ValueError as error:
        raise BlockError(f"cannot block {pattern[:100]!r}: {error}") from error
