"""`Life`: when the instruments of a process begin, are flushed, and end; in its forked children anew.

A process that takes no sample has no thread, no connection and no file of ours: what a server loads before it forks
costs it nothing, and each of its workers begins at its own first sample.
"""

import atexit
import contextlib
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from tallystick.model.clock import Clock
from tallystick.sensors import ending
from tallystick.sensors.families import Families, Member
from tallystick.sensors.instruments import Taken
from tallystick.sensors.sending import Sending
from tallystick.sensors.settings import Settings

log = logging.getLogger(__name__)

FLUSH_INTERVAL_S = 10
WAIT_S = 2.0
"""So long the end of a process waits for the answer that its last numbers are safe."""
_PATIENCE_S = 0.5


class Life:
    """The flushes of one process.

    Parameters
    ----------
    families
        The instruments.
    settings
        Asked at the first sample.
    clock
        Flushes keep to its beat, so that each slot of the server gets exactly one.
    """

    def __init__(self, families: Families, settings: Callable[[], Settings], clock: Clock) -> None:
        self._families = families
        self._settings = settings
        self._clock = clock
        self.when_awake: list[Callable[[], None]] = []
        """Called in each process at its first sample, a forked child's too."""
        self.before_flush: list[Callable[[], None]] = []
        """Called before each flush: the moment to look at what is not told."""
        self._failed: set[Callable[[], None]] = set()
        self._awake = False
        self._closed = False
        self._is_heeding = False
        self._begin()
        _LIVES.add(self)

    def heed_the_end(self) -> None:
        """Flush before SIGTERM ends this process, if that is asked for; tried until the main thread has seen to it."""
        if not self._is_heeding:
            self._is_heeding = threading.get_ident() == threading.main_thread().ident
            ending.heed(_at_sigterm, _is_busy_here, WAIT_S + _PATIENCE_S)

    def wake(self) -> None:
        """Begin, if that has not happened; never waits and never fails: it is called by whoever counts."""
        if self._awake or not self._waking.acquire(blocking=False):
            return
        try:
            if not self._awake:
                with self._busy():
                    self._awake = True
                    self.heed_the_end()
                    self._start()
        except (OSError, RuntimeError) as error:  # no file or thread is left, or the interpreter is about to end
            log.warning("cannot send the numbers of this process: %s", error)
        finally:
            self._waking.release()

    def flush(self, timeout_s: float) -> bool:
        """Send what has gathered, and wait until it is safe; False if that takes longer, or nobody is there."""
        with self._busy():
            sending = self._begun()
            if sending is None:
                return not self._awake
            return self._flush(sending, int(1000 * self._clock.now())) and sending.wait(timeout_s)

    def close(self) -> None:
        """Flush for the last time and end the threads; what is counted afterwards stays in the process."""
        with self._busy():
            sending = self._begun()
            self._awake = True
            self._stop.set()
            closed, self._closed = self._closed, True
            if sending is not None and not closed:
                self.flush(WAIT_S)
                sending.close()

    def in_child(self) -> None:
        """Begin anew, in a forked child: the parent's numbers are the parent's to send."""
        if self.sending is not None:
            self.sending.abandon()
        self._begin()
        self._families.in_child()

    @property
    def is_awake(self) -> bool:
        """Whether a sample was taken in this process."""
        return self._awake

    def settings(self) -> Settings:
        """Where the numbers go, and what they are called."""
        return self.sending.settings if self.sending is not None else self._settings()

    def is_busy_in(self, thread: int) -> bool:
        """Whether a thread begins, flushes or ends this."""
        return thread in self._threads

    def is_collected(self, member: Member, settings: Settings) -> bool:
        """Whether a series is sent."""
        family = member.family
        return family.collect or any(fnmatchcase(family.name, pattern) for pattern in settings.collect)

    def _begin(self) -> None:
        self._waking = threading.Lock()
        self._flushing = threading.Lock()
        self._stop = threading.Event()
        self._awake = False
        self._closed = False
        self._is_heeding = False
        self._threads: list[int] = []
        self.sending: Sending | None = None

    @contextlib.contextmanager
    def _busy(self) -> Iterator[None]:
        thread = threading.get_ident()
        self._threads.append(thread)
        try:
            yield
        finally:
            self._threads.remove(thread)

    def _begun(self) -> Sending | None:
        """How slots are sent, once the thread that is just beginning with it is ready; None if nothing has begun."""
        if self._waking.acquire(timeout=_PATIENCE_S):
            self._waking.release()
        return self.sending

    def _start(self) -> None:
        sending = Sending(self._settings())
        threading.Thread(target=self._run, args=(sending, self._stop), name="sensors", daemon=True).start()
        self.sending = sending
        if util := sys.modules.get("multiprocessing.util"):
            # A child of `multiprocessing` ends without what is registered with `atexit`.
            util.Finalize(None, self.close, exitpriority=-100)
        for call in self.when_awake:
            self._call(call)

    def _run(self, sending: Sending, stop: threading.Event) -> None:
        due = self._next_beat()
        while not stop.wait(max(0.0, due - self._clock.now())):
            now = self._clock.now()
            if due - FLUSH_INTERVAL_S <= now < due:
                continue  # the clock was set back a little, or is not as fine as the wait
            # What gathered belongs to the slot that has just ended, unless the machine slept or its clock was set.
            is_punctual = due <= now < due + FLUSH_INTERVAL_S
            self._flush(sending, int(1000 * due) - 1 if is_punctual else int(1000 * now))
            due = self._next_beat()

    def _call(self, call: Callable[[], None]) -> None:
        """Let others do what they asked for, and go on whatever comes of it: a program is at one of its own lines."""
        try:
            call()
        except Exception as error:
            if call not in self._failed:
                self._failed.add(call)
                log.warning("cannot call %r: %s: %s", call, type(error).__name__, error)

    def _next_beat(self) -> float:
        return (self._clock.now() // FLUSH_INTERVAL_S + 1) * FLUSH_INTERVAL_S

    def _flush(self, sending: Sending, at_ms: int) -> bool:
        if not self._flushing.acquire(timeout=_PATIENCE_S):
            return False  # a signal handler has interrupted a flush: all is left to the next one
        try:
            for call in self.before_flush:
                self._call(call)
            taken: list[tuple[Member, Taken]] = []
            for member in self._families:
                what = member.instrument.take()
                if what is not None and self.is_collected(member, sending.settings):
                    taken.append((member, what))
            sending.send(taken, at_ms)
        finally:
            self._flushing.release()
        return True


_LIVES: weakref.WeakSet[Life] = weakref.WeakSet()


def _in_child() -> None:
    ending.in_child()
    for life in list(_LIVES):
        life.in_child()


def _at_exit() -> None:
    for life in list(_LIVES):
        life.close()


def _is_busy_here() -> bool:
    return any(life.is_busy_in(threading.get_ident()) for life in list(_LIVES))


def _at_sigterm() -> None:
    for life in list(_LIVES):
        life.flush(WAIT_S)


os.register_at_fork(after_in_child=_in_child)
atexit.register(_at_exit)
