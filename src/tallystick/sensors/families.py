"""`Families`: the instruments of a process, by name and labels, in bounded number."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from tallystick.model.description import Description
from tallystick.model.errors import TallystickError
from tallystick.native.names import dotted
from tallystick.sensors.instruments import Instrument

INSTRUMENTS_MAX = 10_000
"""Of a process; further names are counted, and what is counted in them is not."""
COMBINATIONS_MAX = 1000
"""Combinations of labels that one name has; what comes beyond counts where all labels are `OTHER`."""
LABELS_MAX = 6
OTHER = "other"
_VALUE_BYTES_MAX = 80
_KEY_CHARS_MAX = 40
_NAME_CHARS_MAX = 200

Labels = tuple[tuple[str, str], ...]
Made = TypeVar("Made", bound=Instrument[Any])


class Family:
    """All series of one name.

    Parameters
    ----------
    name
        As the program gave it, made fit for a name.
    kind
        The class of its instruments.
    description
        What is said of them.
    collect
        Whether they are sent; else they are kept for the process's own view, until a setting asks for them.
    """

    __slots__ = ("collect", "combinations", "description", "kind", "name")

    def __init__(self, name: str, kind: type[Instrument[Any]], description: Description, *, collect: bool) -> None:
        self.name = name
        self.kind = kind
        self.description = description
        self.collect = collect
        self.combinations = 0


class Member(NamedTuple):
    """One series of a family."""

    family: Family
    labels: Labels
    instrument: Instrument[Any]

    @property
    def tags(self) -> str:
        """The labels as they stand behind a name."""
        return "".join(f";{key}={value}" for key, value in self.labels)


class Families:
    """Instruments by name and labels."""

    def __init__(self) -> None:
        self.refused = 0
        """How often somebody asked for an instrument for which there was no room."""
        self._families: dict[str, Family] = {}
        self._members: dict[tuple[str, Labels], Member] = {}
        self._nameless: dict[type[Instrument[Any]], Instrument[Any]] = {}
        self._lock = threading.RLock()  # a signal handler may ask while the program does

    def __iter__(self) -> Iterator[Member]:
        return iter(list(self._members.values()))

    def in_child(self) -> None:
        """Begin anew in a forked child, where the lock may be held for ever."""
        self._lock = threading.RLock()
        self.refused = 0
        for instrument in [*(member.instrument for member in self._members.values()), *self._nameless.values()]:
            instrument.begin_anew()

    def find(
        self,
        kind: type[Made],
        name: str,
        labels: Mapping[str, object],
        make: Callable[[], Made],
        description: Description,
        collect: bool | None,
    ) -> Made:
        """The instrument of a name and labels, made by `make` if there is none; or one of others if there is no room.

        What is said of the name is remembered, and may be said by any of those who ask.

        Raises
        ------
        TallystickError
            If the name is none or has instruments of another kind, or a label is none.
        """
        cleaned = _name(name) if isinstance(name, str) else ""
        if not cleaned:
            raise TallystickError(
                f"cannot name a {kind.__name__.lower()} {name!r}: expected words such as 'queue.length'"
            )
        own = tuple(sorted([(key, _value(_text(value))) for key, value in labels.items()]))
        _check_keys(name, own)
        with self._lock:
            family = self._family(kind, name, cleaned, description, collect)
            found = self._members.get((cleaned, own))
            if found is None and not self._has_room(family, own):
                self.refused += 1
                return self._elsewhere(kind, family, own, make)
            instrument = found.instrument if found else self._make(family, own, make)
        assert isinstance(instrument, kind)
        return instrument

    def _family(
        self, kind: type[Instrument[Any]], name: str, cleaned: str, description: Description, collect: bool | None
    ) -> Family:
        family = self._families.get(cleaned)
        if family is None:
            family = Family(cleaned, kind, description, collect=collect is not False)
            if len(self._families) < INSTRUMENTS_MAX:
                self._families[cleaned] = family
        elif family.kind is not kind:
            there, asked = family.kind.__name__.lower(), kind.__name__.lower()
            raise TallystickError(
                f"cannot make {asked} {name!r}: it is a {there} already; expected one kind for each name"
            )
        else:
            family.description = description.over(family.description) if any(description) else family.description
            family.collect = family.collect if collect is None else collect
        return family

    def _has_room(self, family: Family, labels: Labels) -> bool:
        return len(self._members) < INSTRUMENTS_MAX and (not labels or family.combinations < COMBINATIONS_MAX)

    def _make(self, family: Family, labels: Labels, make: Callable[[], Made]) -> Made:
        instrument = make()
        self._members[family.name, labels] = Member(family, labels, instrument)
        family.combinations += 1
        return instrument

    def _elsewhere(self, kind: type[Made], family: Family, labels: Labels, make: Callable[[], Made]) -> Made:
        """Where that counts for which there is no room: with the others of its name, else nowhere."""
        other = tuple((key, OTHER) for key, _ in labels)
        found = self._members.get((family.name, other))
        if found is None and other and family.combinations:
            return self._make(family, other, make)
        if found is None and family.kind not in self._nameless:
            self._nameless[family.kind] = make()
        instrument = found.instrument if found is not None else self._nameless[family.kind]
        assert isinstance(instrument, kind)
        return instrument


@lru_cache(INSTRUMENTS_MAX)
def _name(name: str) -> str:
    """A name as one can be sent."""
    return dotted(name)[:_NAME_CHARS_MAX]


def _text(value: object) -> str:
    """A value of a label in words, which are the same for values that are equal: 200 and 200.0, but not 1 and True."""
    if isinstance(value, str):
        return str.__str__(value)  # of an enumeration's member its value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return int.__repr__(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)


@lru_cache(INSTRUMENTS_MAX)
def _value(text: str) -> str:
    """A value of a label as one can stand in a name."""
    text = re.sub(r"[^\w./:@+-]+", "-", text)
    if len(text) > _VALUE_BYTES_MAX // 4:
        text = text.encode()[:_VALUE_BYTES_MAX].decode(errors="ignore")
    return text or "none"


def _check_keys(name: str, labels: Labels) -> None:
    if len(labels) > LABELS_MAX:
        raise TallystickError(f"cannot label {name!r} with {len(labels)} labels: expected at most {LABELS_MAX}")
    for key, _ in labels:
        if key == "name" or len(key) > _KEY_CHARS_MAX:
            raise TallystickError(
                f"cannot label {name!r} with {key!r}: expected another word than 'name', of at most "
                f"{_KEY_CHARS_MAX} letters"
            )
