"""Programs that SIGTERM ends: all of their counts arrive if that is asked for and nobody else handles the signal."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hearing import PLACE, Hearing, Run
from servers import package, wait_until

FLUSH = {"TALLYSTICK_SIGTERM": "flush"}
HITS = "dev.apps.shop.hits"
COUNT = "import signal, time; from tallystick import sensors; hits = sensors.counter('hits'); hits.increment(3)\n"
WAIT = "print('ready', flush=True)\nwhile True: time.sleep(0.05)"  # a signal that comes as it falls asleep waits for it


@contextmanager
def running(address: str, program: str, *command: str, **environ: str) -> Iterator["subprocess.Popen[str]"]:
    """A program that sends to an address, once it has said that it is ready; it is ended here if nothing has."""
    with subprocess.Popen(
        [*(command or (sys.executable,)), "-c", program],
        env=os.environ | PLACE | FLUSH | {"TALLYSTICK_AGENT": address} | environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def status_after_sigterm(address: str, program: str, **environ: str) -> int:
    with running(address, program, **environ) as process:
        process.terminate()
        return process.wait(60)


def test_all_that_was_counted_is_sent_and_the_status_is_that_of_the_signal(door: Hearing) -> None:
    assert status_after_sigterm(door.address, COUNT + "hits.increment(4)\n" + WAIT) == -signal.SIGTERM
    assert door.sum(HITS) == 7


def test_nothing_is_lost_of_a_program_that_is_counting(door: Hearing, tmp_path: Path) -> None:
    told = tmp_path / "told"
    told.write_bytes(bytes(8))
    program = f"""
import mmap, struct
from tallystick import sensors
with open({str(told)!r}, "r+b") as file:
    told = mmap.mmap(file.fileno(), 8)
hits, counted = sensors.counter("hits"), 0
while True:
    hits.increment()
    counted += 1
    struct.pack_into("q", told, 0, counted)
    if counted == 50_000:
        print("ready", flush=True)
"""
    assert status_after_sigterm(door.address, program) == -signal.SIGTERM
    counted = struct.unpack("q", told.read_bytes())[0]
    assert counted >= 50_000
    assert door.sum(HITS) in (counted, counted + 1)  # the last of them may not have been told any more


def test_the_first_sample_may_be_a_thread_s(door: Hearing) -> None:
    program = """
import threading, time
from tallystick import sensors
hits = sensors.counter("hits")
thread = threading.Thread(target=hits.increment)
thread.start()
thread.join()
"""
    assert status_after_sigterm(door.address, program + WAIT) == -signal.SIGTERM
    assert door.sum(HITS) == 1


def test_children_of_multiprocessing_are_left_to_their_parents(door: Hearing, run: Run) -> None:
    found = run(
        """
import multiprocessing, signal
from tallystick import sensors
def work(number):
    sensors.counter("hits").increment(number)
    return signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
sensors.counter("hits").increment(0)
pool = multiprocessing.get_context("fork").Pool(3)
print(all(pool.map(work, range(100))), signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
pool.close()
pool.join()
""",
        **FLUSH,
    )
    assert found.stdout == "True False\n"
    assert door.sum(HITS) == sum(range(100))


def test_a_fork_that_ends_tells_its_own_counts_only(door: Hearing, run: Run) -> None:
    run(
        """
import os, signal, time
from tallystick import sensors
hits = sensors.counter("hits")
hits.increment(100)
for counted in (5, 7):
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        hits.increment(counted)
        os.write(tell, b"x")
        while True:
            time.sleep(0.05)
    os.read(ready, 1)
    os.kill(child, signal.SIGTERM)
    assert os.waitpid(child, 0)[1] == signal.SIGTERM
assert sensors.flush(20)
""",
        **FLUSH,
    )
    assert sorted(slot["last"] for slot in door.slots[HITS]) == [5, 7, 100]


@pytest.mark.parametrize("order", ["before", "after"])
def test_a_program_s_own_handler_is_what_is_called(door: Hearing, order: str) -> None:
    handle = "import sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
    program = "import signal\n" + (handle + COUNT if order == "before" else COUNT + handle) + WAIT
    assert status_after_sigterm(door.address, program) == 5
    assert door.sum(HITS) == 3


def test_who_ignores_the_signal_goes_on_ignoring_it(door: Hearing, run: Run) -> None:
    run(
        f"""
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
{COUNT}
os.kill(os.getpid(), signal.SIGTERM)
hits.increment()
""",
        **FLUSH,
    )
    assert door.sum(HITS) == 4


def test_a_handler_that_was_written_in_c_stays_in_its_place(run: Run) -> None:
    found = run(
        f"""
import faulthandler, signal
faulthandler.register(signal.SIGTERM)
{COUNT}
print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
""",
        **FLUSH,
    )
    assert found.stdout == "True\n"


def test_the_signal_is_left_alone_unless_the_environment_asks_for_it(door: Hearing) -> None:
    assert status_after_sigterm(door.address, COUNT + WAIT, TALLYSTICK_SIGTERM="") == -signal.SIGTERM
    assert HITS not in door.slots


def test_without_anybody_there_a_program_ends_all_the_same(door: Hearing) -> None:
    door.close()
    assert status_after_sigterm(door.address, COUNT + WAIT) == -signal.SIGTERM


def test_while_nobody_answers_a_second_signal_ends_it_at_once() -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as silent:
        address = "tcp://{}:{}".format(*silent.getsockname())
        with running(address, COUNT + WAIT) as process:
            status = Path(f"/proc/{process.pid}/status")
            caught = 1 << signal.SIGTERM - 1
            process.terminate()
            wait_until(lambda: not _mask(status, "SigCgt") & caught, "the signal to have its default again")
            process.terminate()
            assert process.wait(60) == -signal.SIGTERM


def _mask(status: Path, name: str) -> int:
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines[name], 16) if name in lines else 0


def test_it_ends_also_in_the_middle_of_flushing_and_of_beginning_threads(door: Hearing) -> None:
    program = f"""
{COUNT}
import threading
print("ready", flush=True)
while True:
    hits.increment()
    sensors.flush()
    thread = threading.Thread(target=hits.increment)
    thread.start()
    thread.join()
"""
    assert status_after_sigterm(door.address, program) == -signal.SIGTERM
    door.wait(HITS, 3)


def test_greenlets_of_gevent_tell_what_they_counted_as_well(door: Hearing) -> None:
    package("gevent")
    program = f"from gevent import monkey; monkey.patch_all()\n{COUNT}{WAIT}"
    assert status_after_sigterm(door.address, program) == -signal.SIGTERM
    assert door.sum(HITS) == 3


def test_a_program_that_tallystick_runs_loses_nothing_either(door: Hearing, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(COUNT + WAIT)
    command = [sys.executable, "-m", "tallystick", "run", "--", sys.executable, str(tmp_path / "shop.py")]
    environ = os.environ | PLACE | FLUSH | {"TALLYSTICK_AGENT": door.address}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.wait(60) == -signal.SIGTERM
    assert door.sum(HITS) == 3
