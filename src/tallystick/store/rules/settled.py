"""`SettledClock`: the time by which data may be deleted for its age.

A clock that jumps a year ahead, by a wrong battery or a wrong hand, would make everything look old enough to be
forgotten. So a jump ahead counts here only when it has held for an hour of monotonic time; meanwhile this clock runs on
from where it was. A jump back counts at once: it deletes nothing.
"""

import threading

from tallystick.model.clock import Clock

_JUMP_S = 3600.0
"""The wall clock may be so much ahead of the monotonic one before it is doubted; a machine that slept is, too."""
_AWAY_S = 86400.0
"""The same at a start: so long may a server have been away."""
_HOLD_S = 3600.0


class SettledClock:
    """The wall clock, but for jumps ahead; thread-safe.

    Parameters
    ----------
    known_s
        Epoch seconds that the clock had, at least, when the store was last written; 0 if nothing is known.
    """

    def __init__(self, clock: Clock, known_s: float) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._at_s = clock.monotonic()
        wall_s = clock.now()
        doubtful = bool(known_s) and wall_s - known_s > _AWAY_S
        self._settled_s = known_s if doubtful else wall_s
        self._doubt: tuple[float, float] | None = (wall_s, self._at_s) if doubtful else None

    def now(self) -> float:
        """Settled seconds since the epoch."""
        with self._lock:
            return self._turn()

    @property
    def problem(self) -> str:
        """What is wrong with the wall clock; empty if it is believed."""
        with self._lock:
            settled_s = self._turn()
            if self._doubt is None:
                return ""
            days = (self._clock.now() - settled_s) / 86400
            return (
                f"cannot trust the clock: it is {days:.1f} days ahead of where it was; "
                "nothing is deleted for its age until it has held for an hour"
            )

    def _turn(self) -> float:
        wall_s, at_s = self._clock.now(), self._clock.monotonic()
        expected_s = self._settled_s + (at_s - self._at_s)
        self._at_s = at_s
        if wall_s - expected_s <= _JUMP_S:
            self._doubt = None
        else:
            since_wall_s, since_s = self._doubt or (wall_s, at_s)
            if abs((wall_s - since_wall_s) - (at_s - since_s)) > _JUMP_S:
                since_wall_s, since_s = wall_s, at_s  # it jumped again
            self._doubt = (since_wall_s, since_s) if at_s - since_s < _HOLD_S else None
        self._settled_s = wall_s if self._doubt is None else expected_s
        return self._settled_s
