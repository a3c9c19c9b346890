"""What a process reports of itself."""

import asyncio
import gc
import os
import socket
import threading
import time

import pytest

from hearing import Hearing, Run, settings_for
from tallystick.model.clock import ManualClock
from tallystick.sensors import Sensors
from tallystick.sensors.runtime import report
from tallystick.sensors.runtime.loop import watch_loop
from tallystick.sensors.runtime.process import open_files, resident_bytes, uptime_s

ON_HOST = "dev.hosts.web.web1.shop"


def test_a_process_reports_what_it_takes_of_its_machine(door: Hearing) -> None:
    own = Sensors(settings_for(door, TALLYSTICK_RUNTIME="on"), ManualClock())
    report(own)
    own.counter("hits").increment()
    gc.collect()
    assert own.flush()
    last = {name: slots[-1]["last"] for name, slots in door.slots.items()}
    assert last[f"{ON_HOST}.process.resident"] == pytest.approx(resident_bytes(), rel=0.5)
    assert last[f"{ON_HOST}.process.files"] == pytest.approx(open_files(), abs=20)
    assert last[f"{ON_HOST}.process.threads"] == pytest.approx(threading.active_count(), abs=5)
    assert last[f"{ON_HOST}.process.uptime"] == pytest.approx(uptime_s(), abs=30)
    spent = os.times()
    assert 0 < last["dev.apps.shop.process.cpu;mode=user"] <= spent.user
    assert door.sum("dev.apps.shop.gc.pause;generation=2") > 0
    assert door.sum("dev.apps.shop.process.starts;version=unknown") == 1
    assert door.names[f"{ON_HOST}.process.resident"]["unit"] == "bytes"
    time.sleep(0)
    assert own.flush()
    assert door.sum("dev.apps.shop.process.cpu;mode=user") <= os.times().user
    own.close()


def test_a_process_may_say_nothing_of_itself(door: Hearing) -> None:
    own = Sensors(settings_for(door, TALLYSTICK_RUNTIME="off"), ManualClock())
    report(own)
    own.counter("hits").increment()
    assert own.flush()
    assert sorted(door.slots) == ["dev.apps.shop.hits", f"{ON_HOST}.hits"]
    own.close()


def test_what_was_refused_is_reported(door: Hearing) -> None:
    own = Sensors(settings_for(door, TALLYSTICK_RUNTIME="on"), ManualClock())
    report(own)
    for number in range(1010):
        own.counter("requests", user=number).increment()
    assert own.flush()
    assert own.flush()
    assert door.sum("dev.apps.shop.sensors.refused") == 10
    own.close()


def test_a_loop_tells_how_late_it_is(door: Hearing, own: Sensors) -> None:
    async def hold_up() -> None:
        watch_loop(own)
        watch_loop(own)
        await asyncio.sleep(0.01)
        time.sleep(0.5)  # what no coroutine should do
        await asyncio.sleep(0.3)

    asyncio.run(hold_up())
    assert own.flush()
    [slot] = door.slots["dev.apps.shop.loop.lag"]
    assert slot["spread"]["max"] >= 0.24
    assert slot["spread"]["count"] <= 4


def test_a_start_is_told_once_however_many_workers_are_forked(door: Hearing, run: Run) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd:
        statsd.bind(("127.0.0.1", 0))
        statsd.settimeout(20)
        run(
            """
import os
from tallystick import sensors
for _ in range(3):
    child = os.fork()
    if child == 0:
        sensors.counter("hits").increment()
        os._exit(not sensors.flush(20))
    os.waitpid(child, 0)
""",
            TALLYSTICK_RUNTIME="on",
            TALLYSTICK_VERSION="4.2",
            TALLYSTICK_STATSD=f"udp://127.0.0.1:{statsd.getsockname()[1]}",
        )
        told = statsd.recv(4096).decode()
        tags = "app:shop,environment:dev,host:web1,version:4_2"
        assert told == f"_e{{16,{len(tags)}}}:started shop 4_2|{tags}|h:web1|t:info|#{tags},start"
        statsd.setblocking(False)
        with pytest.raises(BlockingIOError):
            statsd.recv(4096)
    assert door.sum("dev.apps.shop.process.starts;version=4_2") == 3


def test_a_child_that_counts_nothing_begins_nothing_whatever_it_throws_away(door: Hearing, run: Run) -> None:
    run(
        """
import gc, os
from tallystick import sensors
sensors.counter("hits").increment()
child = os.fork()
if child == 0:
    gc.collect()
    sensors.flush()
    os._exit(sensors.own.life.is_awake)
assert os.waitpid(child, 0)[1] == 0
""",
        TALLYSTICK_RUNTIME="on",
    )
    assert len(door.hellos) == 1
