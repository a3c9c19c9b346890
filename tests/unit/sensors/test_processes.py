"""Sensors in programs that fork, end, are replaced and take gevent's threads for real ones."""

import os
import subprocess
import sys

import pytest

from hearing import PLACE, Hearing, Run
from servers import package
from tallystick.sensors import Sensors

HITS = "dev.apps.shop.hits"


def test_a_program_sends_at_exit_what_it_counted(door: Hearing, run: Run) -> None:
    run("from tallystick import sensors; sensors.counter('hits').increment(3)", TALLYSTICK_ENVIRONMENT="prod")
    assert door.sum("prod.apps.shop.hits") == 3


def test_one_that_fails_does_as_well(door: Hearing) -> None:
    program = "from tallystick import sensors; sensors.counter('hits').increment(); 1 / 0"
    environ = os.environ | PLACE | {"TALLYSTICK_AGENT": door.address}
    assert subprocess.run([sys.executable, "-c", program], env=environ, stderr=subprocess.DEVNULL).returncode == 1
    assert door.sum(HITS) == 1


def test_without_anybody_there_a_program_ends_as_it_would_and_says_nothing(door: Hearing, run: Run) -> None:
    door.close()
    found = run("from tallystick import sensors; sensors.counter('hits').increment(); print('done')")
    assert (found.stdout, found.stderr) == ("done\n", "")


def test_the_sensors_bring_nothing_heavy_into_a_program(run: Run) -> None:
    loaded = run("import sys; from tallystick import sensors; print(*sys.modules)").stdout.split()
    assert not {"numpy", "numba", "msgspec", "psutil", "click", "rich", "asyncio", "multiprocessing"} & set(loaded)


def test_a_forked_child_sends_its_own_counts_only(own: Sensors, door: Hearing) -> None:
    counter, gauge = own.counter("hits"), own.gauge("level")
    counter.increment(100)
    gauge.set(1)
    child = os.fork()
    if child == 0:
        counter.increment(7)
        os._exit(not own.flush(20))
    assert os.waitpid(child, 0)[1] == 0
    assert [slot["last"] for slot in door.slots[HITS]] == [7]
    assert "dev.hosts.web.web1.shop.level" not in door.slots
    assert own.flush()
    assert [slot["last"] for slot in door.slots[HITS]] == [7, 100]


def test_many_forks_in_the_middle_of_counting_double_and_lose_nothing(door: Hearing, run: Run) -> None:
    run("""
import os, threading
from tallystick import sensors
hits, stop = sensors.counter("hits"), threading.Event()
counted = [0, 0]
def count(k):
    while not stop.is_set():
        hits.increment(); sensors.timing("took", of=k).observe(1); counted[k] += 1
threads = [threading.Thread(target=count, args=(k,)) for k in range(2)]
for thread in threads: thread.start()
for k in range(20):
    child = os.fork()
    if child == 0:
        sensors.counter("children").increment()
        os._exit(not sensors.flush(20))
    assert os.waitpid(child, 0)[1] == 0
    sensors.flush()
stop.set()
for thread in threads: thread.join()
sensors.counter("told").increment(sum(counted))
""")
    assert door.sum("dev.apps.shop.children") == 20
    assert door.sum(HITS) == door.sum("dev.apps.shop.told") > 0


@pytest.mark.parametrize("way", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_send_what_they_counted(
    door: Hearing, run: Run, way: str, tmp_path: object
) -> None:
    run(f"""
import pathlib, runpy
program = pathlib.Path({str(tmp_path)!r}) / "program.py"
program.write_text('''
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from tallystick import sensors

def work(number):
    sensors.counter("hits").increment(number)

if __name__ == "__main__":
    sensors.counter("hits").increment(0.5)
    ways = multiprocessing.get_context("{way}")
    children = [ways.Process(target=work, args=(10,)) for _ in range(2)]
    for child in children: child.start()
    for child in children: child.join()
    with ProcessPoolExecutor(2, mp_context=ways) as pool:
        list(pool.map(work, [1, 2, 3]))
''')
runpy.run_path(str(program), run_name="__main__")
""")
    assert door.sum(HITS) == 26.5


def test_a_program_that_is_replaced_by_another_flushes_first(door: Hearing, run: Run) -> None:
    run("""
import os, sys
from tallystick import sensors
sensors.counter("hits").increment()
sensors.flush()
os.execv(sys.executable, [sys.executable, "-c", "from tallystick import sensors; sensors.counter('hits').increment(2)"])
""")
    assert door.sum(HITS) == 3


def test_a_child_that_runs_another_program_opens_nothing(door: Hearing, run: Run) -> None:
    run("""
import subprocess, sys
from tallystick import sensors
sensors.counter("hits").increment()
subprocess.run(["true"], check=True, preexec_fn=lambda: None)
""")
    assert door.sum(HITS) == 1
    assert len(door.hellos) == 1


def test_what_is_counted_while_the_interpreter_ends_breaks_nothing(door: Hearing, run: Run) -> None:
    found = run("""
import atexit, threading, time
from tallystick import sensors
@atexit.register
def late():
    sensors.counter("late").increment()
def forever():
    while True:
        sensors.counter("forever").increment(); sensors.timing("took").observe(0)
threading.Thread(target=forever, daemon=True).start()
class Last:
    def __del__(self): sensors.counter("finalizers").increment()
last = Last()
last.itself = last
sensors.counter("hits").increment()
""")
    assert found.stderr == ""
    assert door.sum(HITS) == door.sum("dev.apps.shop.late") == 1


def test_one_that_counts_only_while_it_ends_is_told_nothing(run: Run) -> None:
    found = run("""
import atexit
from tallystick import sensors
atexit.register(lambda: sensors.counter("late").increment())
""")
    assert found.stderr == ""


@pytest.mark.parametrize("order", ["patched before", "patched after", "patched after counting"])
def test_greenlets_count_like_threads(door: Hearing, run: Run, order: str) -> None:
    package("gevent")
    patch, load = "from gevent import monkey; monkey.patch_all()", "from tallystick import sensors"
    begin = {"patched before": [patch, load], "patched after": [load, patch]}.get(
        order, [load, "sensors.counter('hits').increment(0.5); sensors.flush()", patch]
    )
    run(
        "\n".join(begin)
        + """
import gevent, os, threading, time
def work():
    for _ in range(100):
        with sensors.timing("took"):
            time.sleep(0)
        sensors.counter("hits").increment()
gevent.joinall([gevent.spawn(work) for _ in range(50)])
thread = threading.Thread(target=work); thread.start(); thread.join()
assert sensors.flush(20)
child = os.fork()
if child == 0:
    sensors.counter("hits").increment(7)
    sensors.flush(20)
    os._exit(0)
os.waitpid(child, 0)
sensors.counter("hits").increment()
"""
    )
    assert door.sum(HITS) == 5108 + (0.5 if "counting" in order else 0)
    took = door.slots["dev.apps.shop.took"]
    assert sum(slot["spread"]["count"] for slot in took) == 5100


def test_a_command_tells_what_a_program_is_called_and_whether_it_is_heard(door: Hearing) -> None:
    environ = os.environ | PLACE | {"TALLYSTICK_AGENT": door.address}
    command = [sys.executable, "-m", "tallystick.sensors"]
    heard = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert heard.returncode == 0, heard.stderr
    assert "dev.hosts.web.web1.shop.sensors.tried" in heard.stdout
    assert "All of it is safe" in heard.stdout
    assert door.sum("dev.apps.shop.sensors.tried") == 1
    door.close()
    unheard = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert unheard.returncode == 1
    assert "Nobody has taken it." in unheard.stdout
