"""`PipedLog`: the lines of a log that comes through a pipe, as a web server writes it to a program."""

import os
import select

from tallystick.agent.logs.follow import LINE_BYTES_MAX
from tallystick.agent.logs.reader import LogReader
from tallystick.agent.tallies import Tallies
from tallystick.model.clock import Clock
from tallystick.native import Slot

_READ_BYTES = 1 << 18


class PipedLog:
    """Reads a pipe as fast as it is written: who writes it waits for us.

    Parameters
    ----------
    descriptor
        Of the pipe's reading end.
    reader
        What its lines mean.
    clock
        For lines that bear no time.
    """

    def __init__(self, descriptor: int, reader: LogReader, clock: Clock) -> None:
        self.reader = reader
        self.ended = False
        self.long = 0
        self._descriptor = descriptor
        self._clock = clock
        self._tallies = Tallies(clock)
        self._tail = b""
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def read(self, wait_s: float) -> None:
        """Read once, waiting so long for something to come."""
        if not self._poll.poll(1000 * wait_s):
            return
        data = os.read(self._descriptor, _READ_BYTES)
        self.ended = not data
        lines = (self._tail + data).split(b"\n")
        self._tail = b"" if self.ended else lines.pop()
        if len(self._tail) > LINE_BYTES_MAX:
            lines.append(self._tail)
            self._tail = b""
        self.long += sum(len(line) > LINE_BYTES_MAX for line in lines)
        whole = [line for line in lines if 0 < len(line) <= LINE_BYTES_MAX]
        self.reader.read(whole, self._clock.now(), self._tallies)

    def take(self) -> list[Slot]:
        """What was counted since the last time; names begin with the program's."""
        return self._tallies.drain()
