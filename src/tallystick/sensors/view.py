"""What the sensors of a process hold at the moment, for whoever debugs it: as values, and as a table to read."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.model.kind import Kind
from tallystick.sensors.families import Member
from tallystick.sensors.instruments import Taken
from tallystick.sensors.sending import names_of
from tallystick.sensors.sensors import Sensors


@dataclass(frozen=True, slots=True)
class Seen:
    """One series of a process.

    Parameters
    ----------
    name
        As the program gave it, with its labels.
    sent_as
        Its names on the server; none if it is not collected.
    kind
        ``counter``, ``gauge``, ``timing`` or ``set``.
    samples, total
        Since the process began, and the sum of them.
    now
        Since the last flush; None without samples.
    """

    name: str
    sent_as: tuple[str, ...]
    kind: str
    unit: str
    owner: str
    samples: float
    total: float
    now: Taken | None


def snapshot(sensors: Sensors) -> list[Seen]:
    """All series of a process, in the order of their names."""
    return sorted((_seen(sensors, member) for member in sensors.members), key=lambda seen: seen.name)


def dump(sensors: Sensors) -> str:
    """A table of `snapshot`, below a line that says where it goes."""
    settings = sensors.life.settings()
    place = settings.place
    head = [
        f"{place.app} on {place.host}, {time.strftime('%Y-%m-%d %H:%M:%S')}: sends to {settings.server or 'nobody'}; "
        f"{sensors.dropped} slots dropped, {sensors.refused} requests for more instruments refused",
        "",
    ]
    rows = [("name", "kind", "unit", "owner", "samples", "total", "now"), *map(_row, snapshot(sensors))]
    return "\n".join([*head, *_aligned(rows)])


def _seen(sensors: Sensors, member: Member) -> Seen:
    settings = sensors.life.settings()
    family = member.family
    samples, total, now = member.instrument.look()
    sent = sensors.life.is_collected(member, settings) and settings.server is not None
    return Seen(
        family.name + member.tags,
        names_of(settings.place, member) if sent else (),
        member.instrument.kind.name.lower(),
        family.description.unit,
        family.description.owner,
        samples,
        total,
        now,
    )


def _row(seen: Seen) -> tuple[str, ...]:
    total = f"{seen.total:g}" if seen.kind in (Kind.COUNTER.name.lower(), Kind.TIMING.name.lower()) else ""
    name = seen.name if seen.sent_as else f"{seen.name} (kept here)"
    return name, seen.kind, seen.unit, seen.owner, f"{seen.samples:g}", total, _now(seen.now)


def _now(taken: Taken | None) -> str:
    if taken is None:
        return ""
    if taken.spread is None:
        return f"{taken.last:g}"
    count, total, _, low, high = taken.spread
    return f"{count:g} of {low:g} to {high:g}, average {total / count:g}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
