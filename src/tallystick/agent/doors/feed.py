"""`Listening`: the doors as a part of the agent: what they tallied is handed on, and what they met is told."""

import json
import logging
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tallystick.agent.doors.doors import Doors, OpenDoor
from tallystick.agent.doors.events import Events
from tallystick.agent.doors.losses import Losses
from tallystick.agent.doors.native import Keeper
from tallystick.agent.tallies import Tallies
from tallystick.config.doors import Door
from tallystick.files import Files
from tallystick.model.clock import Clock
from tallystick.model.kind import Kind
from tallystick.model.point import Point
from tallystick.native import Slot
from tallystick.native.names import Place

log = logging.getLogger(__name__)

REPORT_NAME = "doors.json"
_TAKE_S = 1.0
_REPORT_TURNS = 10
_SWITCH_S = 0.0005
"""So long another thread may compute before the doors may read on: a socket's room is soon filled."""


class Listening:
    """Doors from `start` to `stop`.

    Parameters
    ----------
    doors
        What to open.
    keeper
        Is given the slots that are over.
    place
        Where this host is.
    directory
        Ours; where what was no good is told, and events wait.
    events
        Takes those that DogStatsD's senders tell; it is started before and stopped after.
    """

    def __init__(
        self, doors: Sequence[Door], keeper: Keeper, clock: Clock, place: Place, directory: Path, events: Events
    ) -> None:
        self.tallies = Tallies(clock)
        self.doors = Doors(doors, self.tallies, clock, place, keeper, events.note)
        self.events = events
        self._losses = Losses(self.doors.open)
        self._keeper = keeper
        self._clock = clock
        self._report = directory / REPORT_NAME
        self._told: dict[str, Any] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tallies", daemon=True)

    def start(self) -> None:
        """Open the doors."""
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_S))
        self.doors.start()
        self._thread.start()

    def stop(self) -> None:
        """Close the doors, and hand on what came in."""
        self.doors.stop()
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._offer(self.tallies.drain())
        self._tell()

    def points(self) -> Iterator[Point]:
        """What became of what came in, as growing totals."""
        totals: Counter[str] = Counter()
        for door in self.doors.open:
            counts = door.counts
            said = {
                "taken": counts.taken,
                "refused": counts.refused,
                "rejected": sum(counts.rejected.values()),
                "dropped": counts.dropped,
                "connections": counts.connections,
                "hung_up": counts.hung_up,
            }
            totals.update({f"doors.{door.name}.{word}": number for word, number in said.items()})
        totals.update({"events.posted": self.events.posted, "events.dropped": self.events.dropped})
        for name, number in totals.items():
            yield Point(name, float(number), Kind.CUMULATIVE)
        yield Point("events.waiting", float(self.events.waiting))

    def _run(self) -> None:
        turns = 0
        while not self._stopping.wait(_TAKE_S):
            if slots := self.tallies.take(int(self._clock.now() * 1000)):
                self._offer(slots)
            turns += 1
            if turns % _REPORT_TURNS == 0:
                self._tell()

    def _offer(self, slots: Sequence[Slot]) -> None:
        lost = self._losses.in_slots(len(slots))
        if slots or lost:
            self._keeper.offer(slots, lost=lost)

    def _tell(self) -> None:
        """Write what was no good where whoever asks can read it; only when there is more of it."""
        told = report(self.doors.open)
        if told == self._told or (self._told is None and not told):
            return
        try:
            Files().write_whole(self._report, [json.dumps(told, indent=1).encode()])
            self._told = told
        except OSError as error:
            log.warning("cannot write %s: %s", self._report, error.strerror)


def report(doors: Sequence[OpenDoor]) -> dict[str, Any]:
    """What was no good, of each door by its address: how much by reason, and the last of it."""
    return {
        str(door.address): {
            "protocol": door.name,
            "rejected": {reason.name.lower(): count for reason, count in sorted(door.counts.rejected.items())},
            "dropped": door.counts.dropped,
            "last": [
                {
                    "at_s": round(one.at_s, 3),
                    "reason": one.reason.name.lower(),
                    "text": one.text.decode(errors="replace"),
                }
                for one in tuple(door.counts.offenders)
            ],
        }
        for door in doors
        if door.counts.rejected or door.counts.dropped
    }


def read_report(directory: Path) -> Mapping[str, Any]:
    """What an agent told of its doors; empty if it told nothing."""
    try:
        found: Mapping[str, Any] = json.loads((directory / REPORT_NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    return found
