"""What a process still says when SIGTERM ends it, if its environment asks for that: ``TALLYSTICK_SIGTERM=flush``.

Python calls nothing then that is registered with `atexit`: a script that leaves the signal to its default ends at once,
and takes up to ten seconds of counts with it. The handler here has everything sent and then lets the default happen, so
the status is that of a process which SIGTERM ended. The handler of a program, or of a server that was written in C, is
never replaced, and whoever sets one later replaces ours.

It is not there unasked, as it costs a certainty: the default ends a process whatever it does, but Python calls a
handler between two steps of its main thread. One that enters a system call at just that moment, or is in a long call
into C, hears of the signal when it comes back. For the same reason children of `multiprocessing` keep the default:
their parents end them by SIGTERM, and wait.
"""

import _thread
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import BuiltinFunctionType

SWITCH = "TALLYSTICK_SIGTERM"
"""Variable of the environment."""
_STATUS = Path("/proc/self/status")


def heed(say: Callable[[], None], is_busy: Callable[[], bool], timeout_s: float) -> None:
    """Have `say` called before SIGTERM ends this process, if that would end it now and the environment asks for it.

    Parameters
    ----------
    say
        Called in a thread of its own: the signal may have interrupted whoever holds a lock that it needs.
    is_busy
        Whether the signal has interrupted something that `say` has to wait for. Then the main thread goes on meanwhile;
        else it stands still, so that nothing is counted any more.
    timeout_s
        So long `say` has. A second signal ends the process at once.
    """
    if os.environ.get(SWITCH) != "flush" or not _is_main() or _is_multiprocessing() or not _ends_at_once():
        return

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        said = _thread.allocate_lock()
        said.acquire()
        try:
            _thread.start_new_thread(_say, (say, said))  # `threading` has locks, and may have been interrupted in them
            if is_busy() or not isinstance(_thread.start_new_thread, BuiltinFunctionType):  # gevent's run if this ends
                _thread.start_new_thread(_end_once, (said, timeout_s, number))
                return
            _end_once(said, timeout_s, number)
        except RuntimeError:  # there are no more threads
            os.kill(os.getpid(), number)
        signal.signal(number, end)  # the first process of a container lives on: by default nothing ends that

    signal.signal(signal.SIGTERM, end)
    _OURS.add(end)


def in_child() -> None:
    """Leave the signal to its default in a forked child, until it heeds it itself."""
    if signal.getsignal(signal.SIGTERM) in _OURS:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


_OURS: set[object] = set()


def _say(say: Callable[[], None], said: _thread.LockType) -> None:
    try:
        say()
    finally:
        said.release()


def _end_once(said: _thread.LockType, timeout_s: float, number: int) -> None:
    said.acquire(timeout=timeout_s)
    os.kill(os.getpid(), number)


def _is_main() -> bool:
    """Whether this is the thread that may set handlers."""
    return threading.get_ident() == threading.main_thread().ident


def _is_multiprocessing() -> bool:
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None


def _ends_at_once() -> bool:
    """Whether SIGTERM has its default: nobody handles it, neither in Python nor, as uWSGI does, in C."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return False
    try:
        caught = next(line for line in _STATUS.read_text().splitlines() if line.startswith("SigCgt:"))
    except (OSError, StopIteration):
        return True  # a system without this file: Python's word has to do
    return not int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1
