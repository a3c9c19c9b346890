"""How long each resolution is kept: Graphite's ``10s:10d,1m:30d,5m:90d,1h:2y``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from itertools import pairwise

from tallystick.model.statistic import Statistic

DEFAULT_KEEP = "10s:10d,1m:30d,5m:90d,1h:2y"

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
_LENGTH = re.compile(r"(\d+)\s*([a-z]*)")


def parse_seconds(text: str) -> int:
    """Seconds meant by ``90``, ``10s``, ``5m``, ``2h``, ``30d``, ``1w`` or ``2y``.

    Raises
    ------
    ValueError
        If `text` is no such length; the text says what is expected.
    """
    match = _LENGTH.fullmatch(text.strip().lower())
    unit = match[2] if match else ""
    # "min", "hours" and "years" are understood by their first letter, as carbon does.
    if match is None or (unit and unit[0] not in _UNITS_S):
        raise ValueError(
            f"cannot read length of time {text!r}: expected a number and one of s, m, h, d, w, y, as in 10s or 2y"
        )
    return int(match[1]) * (_UNITS_S[unit[0]] if unit else 1)


@dataclass(frozen=True, slots=True, order=True)
class Resolution:
    """Slots of `step_s` seconds, kept for `keep_s` seconds."""

    step_s: int
    keep_s: int


@dataclass(frozen=True, slots=True)
class Retention:
    """The resolutions of a series, finest first."""

    resolutions: tuple[Resolution, ...]

    @property
    def step_s(self) -> int:
        """The finest step."""
        return self.resolutions[0].step_s

    @property
    def keep_s(self) -> int:
        """The longest time anything is kept."""
        return self.resolutions[-1].keep_s

    def covering(self, age_s: float) -> Resolution:
        """The finest resolution that still holds what is `age_s` seconds old, else the coarsest."""
        for resolution in self.resolutions:
            if resolution.keep_s >= age_s:
                return resolution
        return self.resolutions[-1]

    def at(self, step_s: int) -> Resolution:
        """The resolution of slots of `step_s`; slots of a step that there is none for are kept as long as anything."""
        return next((r for r in self.resolutions if r.step_s == step_s), Resolution(step_s, self.keep_s))

    def has(self, step_s: int) -> bool:
        """Whether slots of `step_s` are one of the resolutions."""
        return any(r.step_s == step_s for r in self.resolutions)

    def coarser(self, step_s: int) -> Resolution | None:
        """The next coarser resolution that slots of `step_s` fit into, if there is one."""
        return next((r for r in self.resolutions if r.step_s > step_s and r.step_s % step_s == 0), None)

    def __str__(self) -> str:
        return _text(self.resolutions)

    @classmethod
    def parse(cls, text: str) -> "Retention":
        """Read ``step:length`` pairs, finest first; a bare number as length is a number of points, as in carbon.

        Raises
        ------
        ValueError
            If a pair cannot be read, a step does not divide the next, or a coarser one is not kept longer.
        """
        resolutions = []
        for part in text.split(","):
            step_text, colon, keep_text = part.strip().partition(":")
            if not colon:
                raise ValueError(f"cannot read retention {part.strip()!r}: expected step:length, as in 10s:10d")
            step_s = parse_seconds(step_text)
            keep_s = parse_seconds(keep_text)
            if keep_text.strip().isdigit():
                keep_s *= step_s
            if step_s < 1 or keep_s < step_s:
                raise ValueError(
                    f"cannot use retention {part.strip()!r}: expected a step of at least 1s that is kept at least once"
                )
            resolutions.append(Resolution(step_s, keep_s))
        for fine, coarse in pairwise(resolutions):
            if coarse.step_s <= fine.step_s or coarse.step_s % fine.step_s:
                raise ValueError(
                    f"cannot use retention {text!r}: {_short(coarse.step_s)} is no multiple of {_short(fine.step_s)}; "
                    "expected each step to be a multiple of the one before"
                )
            if coarse.keep_s <= fine.keep_s:
                raise ValueError(
                    f"cannot use retention {text!r}: {_short(coarse.step_s)} is not kept longer than "
                    f"{_short(fine.step_s)}; expected coarser steps to be kept longer"
                )
        return cls(tuple(resolutions))


class _NameRule:
    """What rules for series of some names have in common."""

    __slots__ = ()
    match: str
    pattern: str | None

    @property
    def matches_all(self) -> bool:
        """Whether no name is left for the rules behind this one."""
        return self.match == "*" if self.pattern is None else self.pattern in ("", ".*", "^.*", "^.*$", ".*$")

    def matches(self, name: str) -> bool:
        """Whether the rule is for `name`."""
        if self.pattern is not None:
            return re.search(self.pattern, name) is not None
        return self.match == "*" or re.match(translate(self.match), name) is not None


@dataclass(frozen=True, slots=True)
class RetentionRule(_NameRule):
    """Series of some names are kept by `retention`; of several rules the first that is for a name counts.

    Parameters
    ----------
    match
        Glob over whole names; ``*`` crosses dots.
    retention
        How they are kept.
    pattern
        In place of the glob: a regular expression that is found anywhere in the name, as in ``storage-schemas.conf``.
    """

    match: str
    retention: Retention
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class AggregationRule(_NameRule):
    """Gauges of some names are `statistic` in slots coarser than their finest, unless a query says.

    Parameters
    ----------
    match
        Glob over whole names; ``*`` crosses dots. The first rule that is for a name counts.
    statistic
        What they are in place of the average.
    pattern
        In place of the glob: a regular expression that is found anywhere in the name, as in
        ``storage-aggregation.conf``.
    """

    match: str
    statistic: Statistic
    pattern: str | None = None


def reached(rules: Sequence[RetentionRule]) -> Sequence[RetentionRule]:
    """The rules up to the first that is for every name: what follows it is never reached."""
    return rules[: next((k + 1 for k, rule in enumerate(rules) if rule.matches_all), len(rules))]


@cache
def _text(resolutions: tuple[Resolution, ...]) -> str:
    """Cached, as readers compare retentions by it."""
    return ",".join(f"{_short(r.step_s)}:{_short(r.keep_s)}" for r in resolutions)


def _short(seconds: int) -> str:
    for unit in ("y", "w", "d", "h", "m"):
        if seconds % _UNITS_S[unit] == 0:
            return f"{seconds // _UNITS_S[unit]}{unit}"
    return f"{seconds}s"
