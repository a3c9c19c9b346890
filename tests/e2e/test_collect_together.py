"""Several services beside the host itself: one that hangs holds up nobody, and none is looked for in vain for ever."""

import signal
from pathlib import Path

import pytest

import services
from beside import LOCK
from servers import START_S_MAX, running_server, wait_until
from tallystick.agent import Host, Point, Runner, Surroundings
from tallystick.agent.collecting.jobs import Finder
from tallystick.agent.host.surroundings import TRIES_MAX
from tallystick.config import Collector
from tallystick.model.clock import ManualClock
from watched import found

pytestmark = [pytest.mark.timeout(START_S_MAX + 120), pytest.mark.senders]


def test_a_service_that_hangs_is_down_and_the_others_are_told(tmp_path: Path) -> None:
    roots = [tmp_path / name for name in ("redis", "nginx")]
    for root in roots:
        root.mkdir()
    (redis, port), (nginx, other) = services.redis(roots[0]), services.nginx(roots[1])
    seen: dict[str, float] = {}
    clock = ManualClock()
    items = [
        Collector(name="redis", timeout_s=1, further={"address": f"tcp://127.0.0.1:{port}"}),
        Collector(name="nginx", timeout_s=5, further={"url": f"http://127.0.0.1:{other}/nginx_status"}),
        Collector(name="load"),
    ]

    def take(points: list[Point], timestamp_s: int) -> None:
        seen.update({point.name: point.value for point in points})

    def ups() -> tuple[float, float, bool]:
        seen.clear()
        clock.advance(10)
        runner.look_at_everything()
        return seen["redis.up"], seen["nginx.up"], "load.1m" in seen

    runner = Runner(Finder(items, Host()).configured(), clock, take, "")
    try:
        redis.start()
        nginx.start()
        assert ups() == (1, 1, True)
        assert redis.process is not None
        redis.process.send_signal(signal.SIGSTOP)  # takes connections, and answers nothing
        assert ups() == (0, 1, True)
        redis.process.send_signal(signal.SIGCONT)
        assert ups() == (1, 1, True)
        nginx.kill()
        assert ups() == (1, 0, True)
    finally:
        runner.stop()
        redis.kill()
        nginx.kill()


def test_a_server_finds_a_service_beside_it_and_says_what_its_numbers_mean(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    daemon, port = services.redis(tmp_path / "redis")
    daemon.start()
    try:
        with (
            LOCK.searching(),
            running_server(tmp_path, '[[collectors]]\nname = "*"\n[agent]\nprefix = "here"\n') as server,
        ):
            name = f"here.redis.{port}.memory.used_bytes"
            wait_until(lambda: server.values(name), "Redis to be found")
            said = wait_until(lambda: server.get("/api/metadata", query=name).get("series"), "its meaning")
            assert said[0]["unit"] == "bytes" and said[0]["description"] == "Memory of data and buffers"
    finally:
        daemon.kill()


def test_who_does_not_let_us_in_is_tried_a_few_times_only(tmp_path: Path) -> None:
    daemon, port = services.redis(tmp_path, "--requirepass", "secret")
    daemon.start()
    try:
        assert f"redis.{port}" not in found("redis")
        around = Surroundings(Host())
        tries = [around.worth_trying("redis", 1, "there") for _ in range(TRIES_MAX + 5)]
        assert tries == [True] * TRIES_MAX + [False] * 5
        assert around.worth_trying("redis", 2, "there"), "one that was started anew"
        assert not Surroundings(Host(), around.tries).worth_trying("redis", 1, "there"), "kept from look to look"
    finally:
        daemon.kill()
