"""Our own tallies, as agents send them: a greeting and names first, then batches of 2,000 slots of four samples."""

from bench.fleet import Fleet, slot_now
from tallystick.model.kind import Kind
from tallystick.native import messages
from tallystick.native.messages import Name, Slot

_SLOTS_A_BATCH = 2000
_NAMES_AT_ONCE = 10_000


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    fleet = Fleet(series, seed)
    named = [Name(name, Kind.GAUGE) for name in fleet.names]
    said = [messages.names(first, named[first : first + _NAMES_AT_ONCE]) for first in range(0, series, _NAMES_AT_ONCE)]
    sent = [messages.framed(message) for message in (messages.hello("fleet", ""), *said)]
    made: list[tuple[int, Slot]] = []
    slots = -(-samples // series)
    for k in range(slots):
        at_ms = 1000 * slot_now(slots - 1 - k)
        for number, value in enumerate(fleet.values().tolist()):
            spread = (4.0, 4 * value, 0.5, value - 0.5, value)
            made.append((number, Slot("", Kind.GAUGE, at_ms, value, spread)))
    for first in range(0, samples, _SLOTS_A_BATCH):
        part = made[first : min(first + _SLOTS_A_BATCH, samples)]
        sent.append(messages.framed(messages.batch(0, len(part), part[0][1].at_ms, part)))
    return sent
