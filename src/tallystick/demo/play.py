"""Plays the fleet to a carbon door: the past at once, then the present on the beat."""

import threading
from collections.abc import Callable

from tallystick.demo.fleet import STEP_S, Fleet
from tallystick.model.address import Address
from tallystick.model.clock import Clock
from tallystick.model.errors import TallystickError
from tallystick.sockets import connect


class Player:
    """A connection to a server, and the fleet that is played to it.

    Parameters
    ----------
    fleet
        What is played.
    server
        Carbon over TCP.
    clock
        Where time comes from.
    """

    def __init__(self, fleet: Fleet, server: Address, clock: Clock) -> None:
        self._fleet = fleet
        self._server = server
        self._clock = clock
        self._next_s = 0
        try:
            self._connection = connect(server, 60)
        except OSError as error:
            raise TallystickError(
                f"cannot play the demo to {server}: {error.strerror or error}; expected a server's carbon port"
            ) from error

    def backfill(self, history_s: int, progress: Callable[[float], object], stop: threading.Event) -> int:
        """Send the past, or as much of it as goes out before the event is set; returns the number of points.

        Parameters
        ----------
        history_s
            How far back.
        progress
            Called with the share that is done, 0 to 1.
        """
        until_s = int(self._clock.now()) // STEP_S * STEP_S
        start_s = until_s - history_s // STEP_S * STEP_S
        points = 0
        for time_s in range(start_s, until_s, STEP_S):
            points += self._send(time_s)
            progress((time_s + STEP_S - start_s) / (until_s - start_s))
            if stop.is_set():
                break
        self._next_s = until_s
        return points

    def live(self, stop: threading.Event) -> None:
        """Send each slot as it begins, until the event is set; slots that passed meanwhile are made up for."""
        self._next_s = self._next_s or int(self._clock.now()) // STEP_S * STEP_S
        while not stop.is_set():
            while self._next_s <= self._clock.now():
                self._send(self._next_s)
                self._next_s += STEP_S
            stop.wait(self._next_s - self._clock.now())

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _send(self, time_s: int) -> int:
        lines = self._fleet.lines(time_s)
        try:
            self._connection.sendall(lines)
        except OSError as error:
            raise TallystickError(
                f"cannot go on with the demo: {self._server} went away ({error.strerror or error})"
            ) from error
        return lines.count(b"\n")
