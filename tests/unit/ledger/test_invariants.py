"""A law that does not hold is seen, told and logged once."""

import logging

import pytest

from tallystick.ledger import Ledger
from tallystick.ledger.invariants import Auditor
from tallystick.ledger.terms import RECEIVED, STORED
from tallystick.model.clock import ManualClock
from tallystick.model.reason import Reason


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000.0)


@pytest.fixture
def ledger(clock: ManualClock) -> Ledger:
    ledger = Ledger(clock)
    account = ledger.account("tcp", "10.0.0.1")
    account.received(5, 50)
    account.stored(4)
    account.rejected_for(Reason.VALUE, 1)
    return ledger


def test_what_adds_up_is_no_problem(ledger: Ledger):
    assert Auditor(ledger).look() == []


def test_a_sample_that_only_one_of_the_books_has_is_told_and_logged_once(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
):
    ledger.book.windows.counting(ledger.window())[0, RECEIVED] += 1
    auditor = Auditor(ledger)
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            (problem,) = auditor.look()
    assert "the ledger of tcp does not add up: its peers and prefixes together differ from it in 1 terms" in problem
    assert [record.message for record in caplog.records] == [problem]


def test_more_out_than_in_is_told_whatever_the_books_say(ledger: Ledger):
    ledger.book.windows.counting(ledger.window())[0, STORED] += 1
    ledger.book.passed(0)[STORED] += 1
    problems = Auditor(ledger).look()
    assert any("more was stored than routed" in problem for problem in problems)
    assert any("more was stored and rejected than received" in problem for problem in problems)


def test_what_stays_in_flight_is_told_after_a_minute(ledger: Ledger, clock: ManualClock):
    ledger.account("tcp", "10.0.0.1").received(2, 20)
    auditor = Auditor(ledger)
    assert auditor.look() == []
    clock.advance(60)
    (problem,) = auditor.look()
    assert "2 samples that came more than 50 seconds ago are neither stored nor rejected" in problem
    clock.advance(3600)
    ledger.account("tcp", "10.0.0.1").refused(Reason.VALUE, 1, 9)
    assert auditor.look() == [problem], "it is wrong for as long as it is"
