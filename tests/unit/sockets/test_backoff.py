"""How long senders wait before they try a server again."""

from tallystick.sockets import Backoff


def test_each_wait_is_up_to_twice_as_long_until_the_longest() -> None:
    backoff = Backoff(0.1, 0.5)
    for most_s in (0.1, 0.2, 0.4, 0.5, 0.5):
        assert most_s / 2 <= backoff.next_s() <= most_s


def test_nobody_who_returns_is_waited_for_longer_than_some_seconds() -> None:
    backoff = Backoff()
    waits_s = [backoff.next_s() for _ in range(100)]
    assert max(waits_s) <= 5.0
    assert len({round(wait_s, 1) for wait_s in waits_s[50:]}) > 5, "a fleet does not come in one moment"


def test_who_was_there_is_waited_for_as_at_first() -> None:
    backoff = Backoff()
    assert backoff.is_fresh
    backoff.next_s()
    assert not backoff.is_fresh
    backoff.begin_anew()
    assert backoff.is_fresh
    assert backoff.next_s() <= 0.1
