"""`StatsdLines`: StatsD's lines at some hundred thousand a second, in plain Python.

What is sent again and again is read once. A line that is one plain counter is only counted when it comes again. Of
others, what stands before and what stands behind the colon are looked up, each by itself: a key, and the number that a
body is, which joins those that wait for that key. What waits is folded when slots are given away, and when it is too
much. What is remembered is bounded, and forgotten as a whole beyond that: it costs time, and nothing else.
"""

import re
from collections.abc import Callable, Sequence

from tallystick.agent.doors.lines import NOTHING, Answer
from tallystick.agent.doors.messages import read_message
from tallystick.agent.doors.placing import PREFIXES, Placed, Placing
from tallystick.agent.doors.sample import LINE_BYTES_MAX
from tallystick.agent.doors.sink import Sink
from tallystick.agent.doors.statsd import Value, name_of, tags_of, values_of
from tallystick.agent.tallies import SLOT_MS
from tallystick.dogstatsd import CHECK, EVENT
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

_KEPT = 20_000  # lines, bodies, keys
_LINE_BYTES_KEPT, _BODY_BYTES_KEPT, _KEY_BYTES_KEPT = 256, 32, 512
_WAITING_MAX = 50_000
_PLAIN = re.compile(rb"([0-9]{1,15}(?:\.[0-9]{1,9})?)\|(ms|g|c|h|d)")


class _Sort:
    """Values of one kind and weight."""

    __slots__ = ("kind", "weight")

    def __init__(self, kind: Kind, weight: float) -> None:
        self.kind = kind
        self.weight = weight


_COUNTS = _Sort(Kind.COUNTER, 1.0)
_LEVELS = _Sort(Kind.GAUGE, 1.0)
_TIMES = _Sort(Kind.TIMING, 1.0)
_MEMBERS = _Sort(Kind.SET, 1.0)
_PLAIN_SORTS = {b"c": _COUNTS, b"g": _LEVELS, b"ms": _TIMES, b"h": _TIMES, b"d": _TIMES}

_Plain = tuple[_Sort, float | bytes]
"""A body that is one value, which need not be looked at further."""


class _Repeated:
    """A line that is one increment of a counter, and how often it came since it was last counted."""

    __slots__ = ("key", "slot", "times", "value", "weight")

    def __init__(self, key: "_Key", value: float, weight: float, slot: int) -> None:
        self.key = key
        self.value = value
        self.weight = weight
        self.slot = slot
        self.times = 0


class _Key:
    """The names of a key, and the values that wait for being counted under them.

    Its neighbours are other keys some of whose names are the same: what waits for them is counted before more waits
    here, or the last value would be another.
    """

    __slots__ = ("neighbours", "placed", "waiting")

    def __init__(self, placed: Placed) -> None:
        self.placed = placed
        self.waiting: dict[_Sort, list[float | bytes]] = {}
        self.neighbours: list[_Key] = []

    def wait(self, sort: _Sort, value: float | bytes) -> None:
        """Have a value wait; the sort of the latest one is counted last."""
        waiting = self.waiting.get(sort)
        if waiting is None:
            self.waiting[sort] = [value]
            return
        waiting.append(value)
        if len(self.waiting) > 1:
            self.waiting[sort] = self.waiting.pop(sort)

    def names(self, kind: Kind) -> tuple[str, ...]:
        """What values of a kind are stored under."""
        return self.placed.gauges if kind is Kind.GAUGE else self.placed.names


class StatsdLines:
    """Takes the lines of a StatsD door; its callers hold the lock of the tallies.

    Parameters
    ----------
    sink
        Where samples go.
    placing
        Makes names.
    lenient
        Whether to read as StatsD itself does what we would rather refuse.
    when_told
        Takes the line of each event.
    """

    def __init__(
        self,
        sink: Sink,
        placing: Placing,
        *,
        lenient: bool = False,
        when_told: Callable[[bytes], object] | None = None,
    ) -> None:
        self._sink = sink
        self._placing = placing
        self._lenient = lenient
        self._when_told = when_told
        self._lines: dict[bytes, _Repeated] = {}
        self._plain: dict[bytes, _Plain] = {}
        self._keys: dict[bytes, _Key] = {}
        self._by_name: dict[tuple[bytes, str], _Key] = {}
        self._of_name: dict[str, list[_Key]] = {}
        self._sorts = {(sort.kind, sort.weight): sort for sort in (_COUNTS, _LEVELS, _TIMES, _MEMBERS)}
        self._now_ms = 0
        self._n_waiting = 0
        sink.tallies.feed(self._feed)

    def take(self, lines: Sequence[bytes], now_ms: int) -> Answer:
        """Count lines that arrived now."""
        if now_ms // SLOT_MS != self._now_ms // SLOT_MS:
            self._turn()
        self._now_ms = now_ms
        known_lines, keys, plain = self._lines, self._keys, self._plain
        for line in lines:
            repeated = known_lines.get(line)
            if repeated is not None:
                repeated.times += 1
                continue
            text, _, body = line.partition(b":")
            key = keys.get(text)
            if key is not None:
                known = plain.get(body) or self._plain_body(body)
                if known is not None:
                    self._wait(key, known, line)
                    continue
            if line:
                self._read(line, now_ms)
        self._n_waiting += len(lines)
        if self._n_waiting > _WAITING_MAX:
            self.settle()
        return NOTHING

    def settle(self) -> None:
        """Have all that came counted in the tallies."""
        for repeated in self._lines.values():
            if times := repeated.times:
                repeated.times, repeated.slot = 0, self._now_ms // SLOT_MS
                self._count_alike(repeated, times)
        for key in self._by_name.values():
            if key.waiting:
                self._count_waiting(key)
        self._n_waiting = 0

    def _feed(self, present: int | None) -> None:
        if present is None or present != self._now_ms // SLOT_MS:
            self.settle()

    def _turn(self) -> None:
        """End a slot, and forget the lines that did not come in it."""
        self.settle()
        slot = self._now_ms // SLOT_MS
        self._lines = {line: repeated for line, repeated in self._lines.items() if repeated.slot == slot}

    def _count_alike(self, repeated: _Repeated, times: int) -> None:
        for name in repeated.key.placed.names:
            opened = self._sink.open(name, Kind.COUNTER, self._now_ms, times)
            if opened is not None:
                opened.add_alike(repeated.value, repeated.weight, times)
            self._sink.counted(opened is not None, times)

    def _count_waiting(self, key: _Key) -> None:
        for sort, waiting in key.waiting.items():
            numbers = [value for value in waiting if not isinstance(value, bytes)]
            members = {value for value in waiting if isinstance(value, bytes)}
            for name in key.names(sort.kind):
                opened = self._sink.open(name, sort.kind, self._now_ms, len(waiting))
                self._sink.counted(opened is not None, len(waiting))
                if opened is None:
                    continue
                if opened.distinct is not None:
                    for member in members:
                        opened.distinct.add(member)
                    continue
                opened.add_all(numbers, sort.weight, self._now_ms)
                if sort is _LEVELS:
                    self._sink.tallies.keep_level(name, numbers[-1])
        key.waiting = {}

    def _read(self, line: bytes, now_ms: int) -> None:
        """Read a line of which not all is known."""
        if len(line) > LINE_BYTES_MAX:
            self._sink.counts.reject(Reason.LINE_LONG, line, now_ms)
            return
        bare = line.removesuffix(b"\r")
        prefix = bare[:3] if bare.startswith(PREFIXES) else b""
        bare = bare[len(prefix) :]
        if bare.startswith((EVENT, CHECK)):
            self._read_message(bare, now_ms)
            return
        text, colon, body = bare.partition(b":")
        if not colon or b"|" in text:
            if bare:
                self._sink.counts.reject(Reason.FIELDS, line, now_ms)
            return
        head, mark, tags = body.partition(b"|#")
        if mark and (b"|" in tags or b"|" not in head):
            head, tags = body, tags_of(body)
        key = self._key(prefix, text, tags)
        if isinstance(key, Reason):
            self._sink.counts.reject(key, line, now_ms)
            return
        known = self._plain.get(head) or self._plain_body(head)
        if known is not None:
            self._wait(key, known, line)
            return
        values = values_of(head, lenient=self._lenient)
        for value in values:
            if isinstance(value, Reason):
                self._sink.counts.reject(value, line, now_ms)
            else:
                self._add(key, value)
        if len(values) == 1 and isinstance(values[0], Value):
            self._remember(head, values[0])

    def _read_message(self, line: bytes, now_ms: int) -> None:
        for read in read_message(line):
            reason = self._sink.take(read, line, now_ms)
            if reason is Reason.NONE and line.startswith(EVENT) and self._when_told is not None:
                self._when_told(line)

    def _wait(self, key: _Key, known: _Plain, line: bytes) -> None:
        """Have a value wait for being counted, and its line known if it is a counter's."""
        sort, value = known
        if key.neighbours:
            self._count_neighbours(key)
        key.wait(sort, value)
        if (
            sort.kind is Kind.COUNTER
            and isinstance(value, float)
            and len(self._lines) < _KEPT
            and len(line) <= _LINE_BYTES_KEPT
        ):
            self._lines[line] = _Repeated(key, value, sort.weight, self._now_ms // SLOT_MS)

    def _count_neighbours(self, key: _Key) -> None:
        for neighbour in key.neighbours:
            if neighbour.waiting:
                self._count_waiting(neighbour)

    def _add(self, key: _Key, value: Value) -> None:
        self._count_neighbours(key)
        if value.at_ms is None and not value.is_change:
            key.wait(self._sort_of(value), value.text or value.value)
            return
        self._count_waiting(key)  # a change is one of what came before it
        at_ms = self._now_ms if value.at_ms is None else value.at_ms
        for name in key.names(value.kind):
            opened = self._sink.open(name, value.kind, at_ms)
            self._sink.add(opened, value.value, value.weight, at_ms, is_change=value.is_change)

    def _sort_of(self, value: Value) -> _Sort:
        sort = self._sorts.get((value.kind, value.weight))
        if sort is None:
            if len(self._sorts) >= _KEPT:
                self.settle()
                self._sorts = {(one.kind, one.weight): one for one in (_COUNTS, _LEVELS, _TIMES, _MEMBERS)}
                self._plain.clear()
            sort = self._sorts[value.kind, value.weight] = _Sort(value.kind, value.weight)
        return sort

    def _key(self, prefix: bytes, text: bytes, tags: bytes) -> _Key | Reason:
        known = prefix + text + b"|" + tags if tags or prefix else text
        key = self._keys.get(known)
        if key is not None:
            return key
        name = name_of(text, tags)
        stored = name if isinstance(name, Reason) else self._sink.name_of(name)
        if isinstance(stored, Reason):
            return stored
        placed = self._placing.names(stored, prefix)
        if any(len(one.encode()) > NAME_BYTES_MAX for one in placed.names):
            return Reason.NAME_LONG
        if len(self._by_name) >= _KEPT:
            self.settle()
            for forgotten in (self._keys, self._by_name, self._of_name, self._lines):
                forgotten.clear()
        key = self._by_name.get((prefix, stored)) or self._make_key(prefix, stored, placed)
        if len(known) <= _KEY_BYTES_KEPT:
            if len(self._keys) >= 2 * _KEPT:
                self._keys.clear()
            self._keys[known] = key
        return key

    def _make_key(self, prefix: bytes, stored: str, placed: Placed) -> _Key:
        key = self._by_name[prefix, stored] = _Key(placed)
        for name in {*placed.names, *placed.gauges}:
            others = self._of_name.setdefault(name, [])
            for other in others:
                other.neighbours.append(key)
                key.neighbours.append(other)
            others.append(key)
        return key

    def _plain_body(self, body: bytes) -> _Plain | None:
        """A body that is but a number and a type."""
        found = _PLAIN.fullmatch(body)
        if found is None:
            return None
        known = _PLAIN_SORTS[found[2]], float(found[1])
        if b"." not in body:  # others are seldom the same twice
            self._keep(body, known)
        return known

    def _remember(self, head: bytes, value: Value) -> None:
        """Have a body that is one value known when it comes again."""
        if value.at_ms is None and not value.is_change and len(head) <= _BODY_BYTES_KEPT:
            self._keep(head, (self._sort_of(value), value.text or value.value))

    def _keep(self, body: bytes, known: _Plain) -> None:
        if len(self._plain) >= _KEPT:
            self._plain.clear()
        self._plain[body] = known
