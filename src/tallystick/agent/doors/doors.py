"""`Doors`: all doors of the agent, on one thread."""

import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.agent.doors.carbon import read_carbon
from tallystick.agent.doors.faults import Counts
from tallystick.agent.doors.istatd import read_istatd
from tallystick.agent.doors.lines import Lines, OpenTsdbLines, PlainLines
from tallystick.agent.doors.loop import Loop
from tallystick.agent.doors.native import Inbox, Keeper, NativeStream
from tallystick.agent.doors.placing import Placing
from tallystick.agent.doors.reading import Connection, Connections, Datagrams
from tallystick.agent.doors.repeating import StatsdLines
from tallystick.agent.doors.sink import Sink
from tallystick.agent.doors.sockets import drops_of, inode_of, open_socket
from tallystick.agent.doors.streams import FramedStream, LineStream, Stream
from tallystick.agent.tallies import Tallies
from tallystick.config.doors import Door
from tallystick.model.address import Address
from tallystick.model.clock import Clock
from tallystick.model.errors import StartError
from tallystick.native.messages import STATSD
from tallystick.native.names import Place
from tallystick.sockets import bound_address

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_HAND_ON_S = 0.5


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """A door that is open.

    Parameters
    ----------
    name
        Its protocol and what carries it: a component of names.
    address
        With the port that the system chose, if it was to.
    """

    name: str
    address: Address
    counts: Counts
    watched: Datagrams | Connections


class Doors:
    """Opens doors on `start`, and tallies what comes in until `stop`.

    Parameters
    ----------
    doors
        What to open. One that cannot be opened is left out, with a warning.
    tallies
        Where samples go.
    place
        Where this host is, for names that are placed below it.
    keeper
        Where slots go that are answered when they are safe.
    when_told
        Takes each event, as the line that tells it.
    """

    def __init__(
        self,
        doors: Sequence[Door],
        tallies: Tallies,
        clock: Clock,
        place: Place,
        keeper: Keeper,
        when_told: Callable[[bytes], object] | None = None,
    ) -> None:
        self.open: list[OpenDoor] = []
        self._doors = doors
        self._tallies = tallies
        self._clock = clock
        self._place = place
        self._when_told = when_told
        self._loop = Loop(clock)
        self._inbox = Inbox(keeper, clock, self._loop.call)
        self._inodes: dict[int, Counts] = {}
        self._stopped = False

    @property
    def listening(self) -> list[Address]:
        """Where doors are open."""
        return [door.address for door in self.open]

    def start(self) -> None:
        """Open the doors."""
        for door in self._doors:
            try:
                bound = open_socket(door.endpoint, door.mode)
            except StartError as error:
                log.warning("%s; that door is left out", error)
                continue
            self._add(door, bound)
        self._loop.every(_LOOK_S, self._look)
        self._loop.every(_HAND_ON_S, self._inbox.hand_on)
        self._loop.start()

    def stop(self) -> None:
        """Close the doors, after what was sent to them is tallied; may be called twice."""
        if self._stopped:
            return
        self._stopped = True
        self._loop.stop()
        for door in self.open:
            door.watched.finish()
            if door.address.local:
                Path(door.address.path).unlink(missing_ok=True)
        self._inbox.hand_on(at_end=True)
        self._loop.close()

    def _add(self, door: Door, bound: socket.socket) -> None:
        counts = Counts()
        watched: Datagrams | Connections
        if door.endpoint.datagrams:
            watched = Datagrams(bound, self._lines(door, counts), counts, self._tallies, self._clock)
            self._inodes[inode_of(bound)] = counts
        else:
            made = self._streams(door, counts)
            watched = Connections(bound, made, counts, self._tallies, self._clock, self._loop)
        name = f"{door.protocol}-{door.endpoint.scheme}"
        self.open.append(OpenDoor(name, bound_address(door.endpoint, bound), counts, watched))
        self._loop.watch(watched)

    def _streams(self, door: Door, counts: Counts) -> Callable[[Connection], Stream]:
        if door.protocol == "native":
            return lambda connection: NativeStream(self._inbox, counts, connection.send)
        stream = FramedStream if door.endpoint.scheme == "unixstream" and door.protocol == "statsd" else LineStream
        lines = self._lines(door, counts)
        return lambda connection: stream(lines, counts)

    def _lines(self, door: Door, counts: Counts) -> Lines:
        sink = Sink(self._tallies, counts, STATSD if door.protocol == "statsd" else "")
        if door.protocol == "statsd":
            placing = Placing(self._place, multiplex=door.multiplex)
            return StatsdLines(sink, placing, lenient=not door.strict, when_told=self._when_told)
        if door.protocol == "opentsdb":
            return OpenTsdbLines(sink)
        return PlainLines(sink, read_istatd if door.protocol == "istatd" else read_carbon)

    def _look(self) -> None:
        """What is to be seen to now and then."""
        for inode, drops in drops_of(set(self._inodes)).items():
            self._inodes[inode].dropped = drops
        for door in self.open:
            if isinstance(door.watched, Connections):
                door.watched.resume()
