"""What is wrong is told once, not every ten seconds; and that it is over."""

import logging
import threading

from tallystick.model.clock import Clock
from tallystick.model.errors import TallystickError

_AGAIN_S = 3600.0
_CAUSES_MAX = 1000


class Telling:
    """Writes to a log what fails, once an hour for each cause, and when it does not fail any more.

    Parameters
    ----------
    log
        Where to.
    clock
        Says when an hour is over.
    """

    def __init__(self, log: logging.Logger, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._told_s: dict[tuple[str, str], float] = {}
        self._failing: set[str] = set()
        self._lock = threading.Lock()

    def worse(self, who: str, text: str) -> None:
        """Somebody failed, for this reason."""
        now_s = self._clock.monotonic()
        with self._lock:
            told_s = self._told_s.get((who, text))
            if told_s is not None and now_s - told_s < _AGAIN_S:
                return
            if len(self._told_s) >= _CAUSES_MAX:  # causes that differ each time must not grow without bound
                self._told_s.clear()
            self._told_s[who, text] = now_s
            self._failing.add(who)
        self._log.warning("%s", text)

    def better(self, who: str, text: str) -> None:
        """Somebody did not fail; `text` is told if he was last told to."""
        with self._lock:
            if who not in self._failing:
                return
            self._failing.remove(who)
        self._log.info("%s", text)


def cause(error: BaseException) -> str:
    """An error as a cause in a sentence."""
    if isinstance(error, TallystickError):  # a sentence of ours
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
