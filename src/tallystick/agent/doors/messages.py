"""What DogStatsD's events and service checks count as; `tallystick.parse.statsd` tells the rules, which are the same
here."""

from collections.abc import Iterator

from tallystick.agent.doors.sample import Read, Sample
from tallystick.agent.doors.statsd import cleaned, tagged
from tallystick.dogstatsd import CHECK, EVENT, event_parts, fields_of
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

_STATES = (b"0", b"1", b"2", b"3")


def read_message(line: bytes) -> Iterator[Read]:
    """The sample that an event or a check counts as."""
    line = line.removesuffix(b"\r")
    yield _event(line) if line.startswith(EVENT) else _check(line)


def _event(line: bytes) -> Read:
    parts = event_parts(line)
    return Reason.FIELDS if parts is None else _sample(b"statsd.events", Kind.COUNTER, 1.0, parts[2])


def _check(line: bytes) -> Read:
    name, bar, rest = line[len(CHECK) :].partition(b"|")
    state, behind, fields = rest.partition(b"|")
    if not bar:
        return Reason.FIELDS
    if state not in _STATES:
        return Reason.VALUE
    clean = cleaned(name)
    return _sample(b"servicecheck." + clean, Kind.GAUGE, float(state), behind + fields) if clean else Reason.NAME_EMPTY


def _sample(name: bytes, kind: Kind, value: float, text: bytes) -> Read:
    fields = fields_of(text)
    if fields.has_bad_time:
        return Reason.TIMESTAMP
    for word, letter in ((b"host", b"h"), (b"type", b"t")):
        place = cleaned(fields.said.get(letter, b"")).replace(b";", b"_")
        if place and len(name) <= NAME_BYTES_MAX:
            name += b";" + word + b"=" + place
    named = tagged(name, fields.tags)
    if isinstance(named, Reason):
        return named
    return Sample(named, kind, value, fields.time_s and fields.time_s * 1000)
