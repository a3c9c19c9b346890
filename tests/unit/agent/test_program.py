import threading
from collections.abc import Callable

from door import Door

from tallystick.agent import program
from tallystick.config import Agent, Collector, Config
from tallystick.model.clock import ManualClock, SystemClock
from tallystick.native.names import short_host


def test_a_print_looks_twice_so_that_rates_are_there() -> None:
    clock = ManualClock()
    config = Config(collectors=(Collector(name="cpu"), Collector(name="load")), agent=Agent(prefix="x.{host}"))
    text = program.once(config, clock, clock.advance, pause_s=20)
    names = [line.split()[0] for line in text.splitlines()]
    assert f"x.{short_host()}.load.1m" in names
    assert all(line.split()[2] == "1700000020" for line in text.splitlines())


def test_the_agent_sends_to_each_server_and_tells_of_itself(open_door: Callable[[], Door]) -> None:
    doors = [open_door(), open_door()]
    until = threading.Event()
    config = Config(
        collectors=(Collector(name="load", interval_s=3600),),
        agent=Agent(servers=tuple(str(door.address) for door in doors), prefix="x", discover=False),
    )
    agent = threading.Thread(target=program.run, args=(config, SystemClock(), until))
    agent.start()
    try:
        for door in doors:
            names = {line.split()[0] for line in door.wait_for(9)}
            loads = {b"x.load.1m", b"x.load.5m", b"x.load.15m"}
            own = {b"memory_bytes", b"threads", b"open_files", b"looks", b"looks_failed", b"lines_dropped"}
            assert names == loads | {b"x.agent." + name for name in own}
    finally:
        until.set()
        agent.join(20)
    assert not agent.is_alive()
