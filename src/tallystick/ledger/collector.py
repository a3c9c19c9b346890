"""The ledger's counts as series of their own, so that what became of the data can be graphed like any of it."""

from collections.abc import Callable, Iterator

from tallystick.agent import Point
from tallystick.agent.names import component
from tallystick.ledger.ledger import Ledger
from tallystick.model.kind import Kind


class LedgerCollector:
    """Counters ``ledger.<source>.received``, ``.stored``, ``.kernel_drops`` and ``.rejected.<reason>``.

    Parameters
    ----------
    refresh
        Called before each look: brings counts that live elsewhere into the ledger.
    """

    def __init__(self, ledger: Ledger, refresh: Callable[[], None]) -> None:
        self._ledger = ledger
        self._refresh = refresh
        self._before: dict[str, int] = {}

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        self._refresh()
        for balance in self._ledger.balances():
            counts = {"received": balance.received, "stored": balance.stored, "kernel_drops": balance.kernel_drops}
            counts |= {f"rejected.{reason}": n for reason, n in balance.rejected.items()}
            for what, count in counts.items():
                name = f"ledger.{component(balance.source)}.{what}"
                yield Point(name, float(count - self._before.get(name, 0)), Kind.COUNTER)
                self._before[name] = count
