"""`Signals`: signals of the system, waited for by the main thread of a program that has others.

The system gives a signal to any thread, and Python runs handlers in the main one only, when that next runs: who waits
for a lock or a queue there may sleep through it. So each signal is a byte in a pair of sockets, whoever gets it.
"""

import contextlib
import signal
import socket
from collections.abc import Collection

_WAITING_MAX = 4096


class Signals:
    """Takes signals from now on until `close`; to be made and waited for by the main thread.

    Parameters
    ----------
    numbers
        Which of them.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        self._reading, self._writing = socket.socketpair()
        self._writing.setblocking(False)
        # Without a handler of its own a signal would do what it does by default, and write nothing.
        self._before = {number: signal.signal(number, lambda *_: None) for number in numbers}
        self._wakeup_before = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)

    def wait(self) -> Collection[signal.Signals]:
        """Wait for a signal; it, and those that came with it."""
        came: set[signal.Signals] = set()
        while not came:
            came = {signal.Signals(number) for number in self._reading.recv(_WAITING_MAX)} & self._before.keys()
        return came

    def close(self) -> None:
        """Have signals do what they did before."""
        with contextlib.suppress(ValueError):  # that one was closed meanwhile
            signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._reading.close()
        self._writing.close()
