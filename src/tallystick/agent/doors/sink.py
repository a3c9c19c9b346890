"""`Sink`: where samples that doors read are counted, each under the name or names that it is stored under."""

from tallystick.agent.doors.faults import Counts
from tallystick.agent.doors.sample import Member, Read, Tallied, stored_name
from tallystick.agent.tallies import Open, Tallies
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.native import Slot

NAMES_KEPT = 20_000
"""Spellings that are remembered."""


class Sink:
    """Takes what one door reads; its callers hold the lock of the tallies.

    Parameters
    ----------
    tallies
        Where samples go.
    counts
        Of the door.
    origin
        The protocol of the door, where servers are to know by which one samples came.
    """

    def __init__(self, tallies: Tallies, counts: Counts, origin: str = "") -> None:
        self.tallies = tallies
        self.counts = counts
        self._origin = origin
        self._names: dict[bytes, str | Reason] = {}

    def take(self, read: Read, line: bytes, now_ms: int) -> Reason:
        """Count a sample, or note why it is none; `Reason.NONE` if it was good."""
        if isinstance(read, Reason):
            self.counts.reject(read, line, now_ms)
            return read
        name = self.name_of(read.name)
        if isinstance(name, Reason):
            self.counts.reject(name, line, now_ms)
            return name
        if isinstance(read, Member):
            self.add_member(self.open(name, Kind.SET, now_ms), read.text)
        elif isinstance(read, Tallied):
            self.counted(self.tallies.merge(Slot(name, read.kind, read.at_ms, read.last, read.spread)))
        else:
            at_ms = now_ms if read.at_ms is None else read.at_ms
            opened = self.open(name, read.kind, at_ms)
            self.add(opened, read.value, read.weight, at_ms, is_change=read.is_change)
        return Reason.NONE

    def open(self, name: str, kind: Kind, at_ms: int, samples: int = 1) -> Open | None:
        """See `Tallies.open`; what is opened here came by this door's protocol."""
        opened = self.tallies.open(name, kind, at_ms, samples)
        if opened is not None and self._origin:
            opened.origin = self._origin
        return opened

    def add(self, opened: Open | None, value: float, weight: float, at_ms: int, *, is_change: bool) -> None:
        """Count one number."""
        if opened is not None:
            if is_change:
                value = self.tallies.changed(opened.name, value)
            if opened.kind is Kind.GAUGE:
                self.tallies.keep_level(opened.name, value)
            opened.add_at(value, weight, at_ms)
        self.counted(opened is not None)

    def add_member(self, opened: Open | None, text: bytes) -> None:
        """Count a member of a set."""
        if opened is not None and opened.distinct is not None:
            opened.distinct.add(text)
        self.counted(opened is not None)

    def name_of(self, name: bytes) -> str | Reason:
        """What a name is stored under, or why it cannot be."""
        found = self._names.get(name)
        if found is None:
            if len(self._names) >= NAMES_KEPT:
                self._names.clear()
            found = self._names[name] = stored_name(name)
        return found

    def counted(self, is_taken: bool, samples: int = 1) -> None:
        """Count samples that found room in the tallies, or none."""
        if is_taken:
            self.counts.taken += samples
        else:
            self.counts.refused += samples
