"""`Bookkeeper`: at the end of each window it checks the ledger's laws and has its counts stored."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from tallystick.ledger.collector import LedgerCollector
from tallystick.ledger.invariants import Auditor
from tallystick.ledger.terms import WINDOW_S
from tallystick.model.kind import Kind
from tallystick.model.point import Point
from tallystick.native.names import component
from tallystick.receive.intake import Intake
from tallystick.receive.points import take_points

log = logging.getLogger(__name__)

_PREFIX = "tallystick."


class Bookkeeper:
    """Looks after a ledger.

    Parameters
    ----------
    refresh
        Called before each look: brings counts that live elsewhere into the ledger.
    """

    def __init__(self, intake: Intake, auditor: Auditor, refresh: Callable[[], None]) -> None:
        self._intake = intake
        self._auditor = auditor
        self._refresh = refresh
        self._own = intake.ledger.account("tallystick")
        self._collector = LedgerCollector(intake.ledger)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bookkeeper", daemon=True)

    def start(self) -> None:
        """Look at the end of each window, in a thread of its own, until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and look for the last time, at the present window as well: to be called when nothing comes any more.

        Who never started has nothing to look at.
        """
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
            self._look_safely(final=True)

    def look(self, *, final: bool = False) -> None:
        """Check the laws, store what is new in the windows that are over (in all if it is `final`), make room."""
        self._refresh()
        broken = self._auditor.look()
        found = {at_s: list(points) for at_s, points in self._collector.collect(final=final)}
        if broken:
            last_s = (self._intake.ledger.window() - 1) * WINDOW_S
            found.setdefault(last_s, []).append(Point("ledger.broken", float(len(broken)), Kind.COUNTER))
        for at_s, points in found.items():
            named = [replace(point, name=_PREFIX + point.name) for point in points]
            take_points(self._intake, named, at_s, self._own)
        self._intake.make_room()
        take_points(self._intake, self._census(), (self._intake.ledger.window() - 1) * WINDOW_S, self._own)

    def _census(self) -> list[Point]:
        """How many series there are: ``names.total``, ``names.prefixes.<prefix>``, ``names.sources.<host>``."""
        return [
            Point(f"{_PREFIX}names.{what}{_below(what, which)}", float(count), Kind.GAUGE)
            for what, which, count in self._intake.count_series()
        ]

    def _run(self) -> None:
        while not self._stop.wait(WINDOW_S - self._intake.clock.now() % WINDOW_S):
            self._look_safely()

    def _look_safely(self, *, final: bool = False) -> None:
        try:
            self.look(final=final)
        except Exception:
            # What fails once must not end the looking, as the next window is another one, nor what follows at a stop.
            log.exception("cannot keep the books")


def _below(what: str, which: str) -> str:
    """The further components of a count: a prefix has its own, a host is one."""
    parts = which.split(".") if what == "prefixes" else [which]
    return "".join(f".{component(part)}" for part in parts if part)
