"""`Offenders`: the last inputs that were rejected, of each reason, for whoever asks why a metric does not show up."""

import threading
from collections import deque
from dataclasses import dataclass

from tallystick.model.clock import Clock
from tallystick.model.printable import printable
from tallystick.model.reason import Reason

OFFENDERS_MAX = 100
"""So many rejected inputs of each reason are kept to be read."""
_TEXT_BYTES_MAX = 256


@dataclass(frozen=True, slots=True)
class Offender:
    """A rejected input.

    Parameters
    ----------
    source
        The account it came in by.
    reason
        Why it was rejected.
    text
        The beginning of it; bytes that are not printable are escaped. Whoever shows it treats it as hostile.
    at_s
        Epoch seconds of its arrival.
    peer
        Who sent it; empty where that is not known.
    """

    source: str
    reason: Reason
    text: str
    at_s: float
    peer: str = ""


class Offenders:
    """The last hundred of each reason; thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[Reason, deque[Offender]] = {}

    def note(self, source: str, peer: str, reason: Reason, text: bytes) -> None:
        """Keep a rejected input, instead of the oldest of its kind if there are many."""
        shown = printable(text[:_TEXT_BYTES_MAX].decode("utf-8", "backslashreplace"))
        offender = Offender(source, reason, shown, self._clock.now(), peer)
        with self._lock:
            self._kept.setdefault(reason, deque(maxlen=OFFENDERS_MAX)).append(offender)

    def found(self, source: str = "", reason: str = "", name: str = "") -> list[Offender]:
        """What was rejected, newest first.

        Parameters
        ----------
        source
            Only of this source.
        reason
            Only for this reason, in lower case as pages write it.
        name
            Only what holds this text.
        """
        with self._lock:
            kept = [offender for kind in self._kept.values() for offender in kind]
        wanted = (
            one
            for one in kept
            if source in ("", one.source) and reason in ("", one.reason.name.lower()) and name in one.text
        )
        return sorted(wanted, key=lambda one: one.at_s, reverse=True)
