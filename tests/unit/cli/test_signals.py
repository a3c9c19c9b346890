"""Signals reach the main thread, whichever thread the system gave them to."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.cli.signals import Signals


@pytest.fixture
def signals() -> Iterator[Signals]:
    made = Signals(signal.SIGTERM, signal.SIGHUP)
    yield made
    made.close()


def test_one_that_another_thread_gets_while_the_main_one_sleeps_wakes_it(signals: Signals) -> None:
    status = Path(f"/proc/self/task/{threading.main_thread().native_id}/stat")

    def sleeps() -> bool:
        return status.read_text().rpartition(")")[2].split()[0] == "S"

    def kill_myself() -> None:
        while not sleeps():
            threading.Event().wait(0.01)
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    threading.Thread(target=kill_myself, daemon=True).start()
    assert signals.wait() == {signal.SIGTERM}


def test_the_last_of_many_is_among_them(signals: Signals) -> None:
    for _ in range(20):
        signal.raise_signal(signal.SIGHUP)
    signal.raise_signal(signal.SIGTERM)
    assert signals.wait() == {signal.SIGHUP, signal.SIGTERM}


def test_what_was_done_before_is_done_again_at_the_end() -> None:
    before = signal.getsignal(signal.SIGHUP)
    signals = Signals(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is not before
    signals.close()
    assert signal.getsignal(signal.SIGHUP) is before
