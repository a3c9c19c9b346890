import math
import socket
import threading

import numpy as np
import pytest

from tallystick.demo import Fleet, Player
from tallystick.demo.deploys import WINDOW_S
from tallystick.demo.fleet import STEP_S, day
from tallystick.model.address import Address
from tallystick.model.clock import ManualClock
from tallystick.model.errors import TallystickError

START_S = 1_700_000_100  # the start of a window of deploys


def read(lines: bytes) -> dict[str, float]:
    """Values by name, of lines that all have one time."""
    fields = [line.split() for line in lines.decode().splitlines()]
    assert len({time for _, _, time in fields}) == 1
    return {name: float(value) for name, value, _ in fields}


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return Fleet(hosts=60, seed=3)


def test_the_same_seed_gives_the_same_fleet_and_another_one_another(fleet: Fleet) -> None:
    assert Fleet(60, 3).lines(START_S) == fleet.lines(START_S)
    assert Fleet(60, 4).lines(START_S) != fleet.lines(START_S)


@pytest.mark.parametrize("hosts", [5, 6, 17, 200, 1000])
def test_every_host_is_in_one_cluster(hosts: int) -> None:
    names = [host for cluster in Fleet(hosts).clusters for host in cluster.hosts]
    assert len(names) == len(set(names)) == hosts
    assert all(cluster.hosts for cluster in Fleet(hosts).clusters)


def test_a_fleet_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot make a fleet of 4 hosts; expected at least 5"):
        Fleet(4)


def test_numbers_of_a_host_are_possible_ones(fleet: Fleet) -> None:
    for time_s in range(START_S, START_S + 86_400, 3610 // STEP_S * STEP_S):
        values = read(fleet.lines(time_s))
        for name, value in values.items():
            assert math.isfinite(value)
            assert value >= 0, name
        for cluster in fleet.clusters:
            for host in cluster.hosts:
                shares = [
                    values[f"prod.hosts.{cluster.app}.{host}.cpu.{state}"]
                    for state in ("user", "system", "iowait", "idle")
                ]
                assert sum(shares) == pytest.approx(100, abs=0.01)
                assert values[f"prod.hosts.{cluster.app}.{host}.memory.used_percent"] <= 100


def test_the_evening_is_busier_than_the_morning() -> None:
    hours = [day(hour * 3600) for hour in range(24)]
    assert 2 <= int(np.argmin(hours)) <= 6
    assert 15 <= int(np.argmax(hours)) <= 22
    assert min(hours) >= 0.25
    assert max(hours) <= 1.05


def test_there_is_a_deploy_in_each_window_and_it_is_over_before_the_next(fleet: Fleet) -> None:
    deploys = fleet.deploys.begun(START_S, START_S + 100 * WINDOW_S)
    assert [(deploy.start_s - START_S) // WINDOW_S for deploy in deploys] == list(range(100))
    assert 20 <= sum(deploy.rolled_back_s is not None for deploy in deploys) <= 60
    for deploy in deploys:
        assert deploy.share(deploy.start_s) == 0
        assert deploy.share((deploy.start_s // WINDOW_S + 1) * WINDOW_S) == (deploy.rolled_back_s is None)


def test_a_bad_deploy_is_seen_in_errors_and_latency_until_it_is_rolled_back(fleet: Fleet) -> None:
    deploys = fleet.deploys.begun(START_S, START_S + 100 * WINDOW_S)
    bad = next(deploy for deploy in deploys if deploy.rolled_back_s is not None)
    assert bad.rolled_back_s is not None

    def totals(time_s: int) -> tuple[float, float]:
        values = read(fleet.lines(time_s))
        of_app = {name: value for name, value in values.items() if name.split(".")[4:5] == [bad.app]}
        errors = sum(value for name, value in of_app.items() if name.endswith(".errors"))
        return errors, sum(value for name, value in of_app.items() if name.endswith(".latency_ms"))

    before, during, after = totals(bad.start_s), totals(bad.rolled_back_s), totals(bad.rolled_back_s + 60)
    assert during[0] > 10 * max(before[0], after[0], 0.1)
    assert during[1] > 1.5 * max(before[1], after[1])


def test_deploys_are_marked_where_they_start_and_are_rolled_back(fleet: Fleet) -> None:
    marks = []
    for time_s in range(START_S, START_S + 10 * WINDOW_S, STEP_S):
        names = [line.split()[0] for line in fleet.lines(time_s).decode().splitlines()[fleet.series_count :]]
        marks += [(name, time_s) for name in names if not name.endswith(".version")]
    deploys = fleet.deploys.begun(START_S, START_S + 10 * WINDOW_S)
    expected = [(f"deploys.{deploy.app}.started", deploy.start_s) for deploy in deploys]
    expected += [(f"deploys.{d.app}.rolled_back", d.rolled_back_s) for d in deploys if d.rolled_back_s is not None]
    assert sorted(marks) == sorted(expected)


def test_the_past_is_filled_in_and_then_each_slot_follows_as_it_begins() -> None:
    fleet, clock, stop = Fleet(5), ManualClock(START_S + 3), threading.Event()
    received = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        player = Player(fleet, Address("tcp", "127.0.0.1", listener.getsockname()[1]), clock)
        connection, _ = listener.accept()
        shares: list[float] = []
        points = player.backfill(60, shares.append, stop)
        assert shares[-1] == 1.0
        clock.advance(10)
        live = threading.Thread(target=player.live, args=(stop,))
        live.start()
        expected = b"".join(fleet.lines(START_S - 60 + STEP_S * number) for number in range(8))
        with connection:
            while len(received) < len(expected):
                received += connection.recv(1 << 20)
            stop.set()
            live.join(20)
            player.close()
            assert connection.recv(1) == b""
    assert received == expected
    assert points == expected.count(b"\n") - sum(fleet.lines(START_S + s).count(b"\n") for s in (0, 10))


def test_a_server_that_is_not_there_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TallystickError, match=f"cannot play the demo to tcp://127.0.0.1:{port}: Connection refused"):
        Player(Fleet(5), Address("tcp", "127.0.0.1", port), ManualClock())
