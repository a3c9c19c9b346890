"""The conservation law, checked all the time: what enters a stage leaves it in exactly one way."""

import logging

import numpy as np

from tallystick.ledger.ledger import Ledger
from tallystick.ledger.terms import LATE, MADE, PARSED, RECEIVED, REJECTED, ROUTED, STORED, WINDOW_S
from tallystick.ledger.windows import Counts

log = logging.getLogger(__name__)

_FLIGHT_S_MAX = 60
"""What is in flight for longer does not arrive any more: whoever carried it failed."""
_SENTENCES_MAX = 20


class Auditor:
    """Compares the books of a ledger, and remembers what was wrong at the last look."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._told: set[str] = set()
        self.problems: list[str] = []
        """What was wrong at the last look, a sentence each."""

    def look(self) -> list[str]:
        """Check every law now; what is wrong is returned, and logged the first time."""
        self.problems = broken_laws(self._ledger)[:_SENTENCES_MAX]
        for problem in self.problems:
            if problem not in self._told and len(self._told) < _SENTENCES_MAX:
                self._told.add(problem)
                log.error("%s", problem)
        return self.problems


def broken_laws(ledger: Ledger) -> list[str]:
    """What does not add up, a sentence for each source and law; nothing where all is well.

    Notes
    -----
    Both books are looked at in one moment. Half a millisecond for a thousand cells.
    """
    book = ledger.book
    with book.lock:
        total = book.windows.total(book.cells)
        source_of, sources = book.source_of, list(book.sources)
        passed = [book.passed(k).copy() for k in range(len(sources))]
        first = ledger.window() - _FLIGHT_S_MAX // WINDOW_S + 1
        recent = [book.windows.window(k, book.cells) for k in book.windows.numbers() if k >= first]
    stuck = _in_flight(total) - sum(_in_flight(window) for window in recent)
    found = []
    for number, source in enumerate(sources):
        own = source_of == number
        found += [f"the ledger of {source} does not add up: {what}" for what in _laws(total[own], passed[number])]
        lost = int(stuck[own].sum())
        if lost:
            found.append(
                f"the ledger of {source} does not add up: {lost} samples that came more than "
                f"{_FLIGHT_S_MAX - WINDOW_S} seconds ago are neither stored nor rejected"
            )
    return found


def _laws(cells: Counts, passed: Counts) -> list[str]:
    """What is wrong with the cells of one source, and with their sum, which is to be what `passed`."""
    found = []
    differs = np.flatnonzero(cells.sum(axis=0) != passed)
    if len(differs):
        found.append(f"its peers and prefixes together differ from it in {len(differs)} terms")
    for more, less, words in (
        ((RECEIVED,), PARSED, "more was parsed than received"),
        ((PARSED, MADE), ROUTED, "more was routed than parsed and made"),
        ((ROUTED,), STORED, "more was stored than routed"),
        ((STORED,), LATE, "more was late than stored"),
    ):
        if (cells[:, more].sum(axis=1) < cells[:, less]).any():
            found.append(words)
    if (_in_flight(cells) < 0).any():
        found.append("more was stored and rejected than received and made")
    return found


def _in_flight(cells: Counts) -> Counts:
    flying: Counts = cells[:, RECEIVED] + cells[:, MADE] - cells[:, STORED] - cells[:, REJECTED:].sum(axis=1)
    return flying
