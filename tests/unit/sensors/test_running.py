"""Programs as they are, begun by ``tallystick run``."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from hearing import PLACE, Hearing
from servers import TALLYSTICK, package, wait_until
from tallystick.sensors.running import SITE, app_of

Begin = Callable[..., "subprocess.Popen[str]"]
APPS = "dev.apps.shop"


@pytest.fixture
def environ(door: Hearing, tmp_path: Path) -> dict[str, str]:
    own = PLACE | {"TALLYSTICK_AGENT": door.address, "HOME": str(tmp_path)}
    return {key: value for key, value in os.environ.items() if key != "TALLYSTICK_APP"} | own


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))


def run(folder: Path, environ: dict[str, str], *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*TALLYSTICK, "run", "--", *command], cwd=folder, env=environ, capture_output=True, text=True, timeout=60
    )


def test_a_program_counts_without_a_line_of_its_own(door: Hearing, tmp_path: Path, environ: dict[str, str]) -> None:
    del environ["TALLYSTICK_APP"]
    write(
        tmp_path,
        shop="""
        import logging, sqlite3, sys
        logging.warning("low")
        sqlite3.connect(":memory:").execute("SELECT 1")
        print(*sys.argv)
        sys.exit(7)
        """,
    )
    found = run(tmp_path, environ, sys.executable, "-u", "shop.py", "--app", "x")
    assert (found.returncode, found.stdout, found.stderr) == (7, "shop.py --app x\n", "WARNING:root:low\n")
    assert door.slots[f"{APPS}.log.records;level=warning;logger=root"]
    assert door.slots[f"{APPS}.database.time;statement=SELECT;system=sqlite3"]


def test_signals_reach_the_program_itself(tmp_path: Path, environ: dict[str, str]) -> None:
    write(tmp_path, shop="print('ready', flush=True)\nimport time\ntime.sleep(60)")
    command = [*TALLYSTICK, "run", "--", sys.executable, "shop.py"]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGUSR1)
        assert process.wait(30) == -signal.SIGUSR1


def test_another_sitecustomize_is_loaded_as_well(door: Hearing, tmp_path: Path, environ: dict[str, str]) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write(other, sitecustomize="import builtins\nbuiltins.customized = __file__")
    write(tmp_path, shop="import sys; print(customized, sys.modules['sitecustomize'].__file__); print(sys.path)")
    found = run(
        tmp_path, environ | {"PYTHONPATH": f"{other}:{environ.get('PYTHONPATH', '')}"}, sys.executable, "shop.py"
    )
    files, path = found.stdout.splitlines()
    assert set(files.split()) == {str(other / "sitecustomize.py")}
    assert str(SITE) not in path
    assert found.stderr == ""


def test_an_interpreter_without_tallystick_finds_it(door: Hearing, tmp_path: Path, environ: dict[str, str]) -> None:
    write(tmp_path, shop="from tallystick import sensors; sensors.counter('hits').increment()")
    found = subprocess.run(
        [sys.executable, "-S", "-c", "import sitecustomize, runpy; runpy.run_path('shop.py')"],
        cwd=tmp_path,
        env=environ | {"PYTHONPATH": str(SITE)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert found.stderr == ""
    assert door.sum(f"{APPS}.hits") == 1


def test_what_is_no_program_is_told(tmp_path: Path, environ: dict[str, str]) -> None:
    found = run(tmp_path, environ, "no-such-program")
    assert (found.returncode, found.stderr) == (
        127,
        "cannot run 'no-such-program': No such file or directory; expected a program\n",
    )
    (tmp_path / "data").touch()
    assert run(tmp_path, environ, "./data").returncode == 126


def test_tasks_of_celery_are_counted_by_a_worker_and_its_processes(
    door: Hearing, tmp_path: Path, environ: dict[str, str]
) -> None:
    package("celery")
    write(
        tmp_path,
        till="""
        from celery import Celery
        app = Celery("till", broker="filesystem://", backend=None)
        app.conf.broker_transport_options = {"data_folder_in": "queue", "data_folder_out": "queue"}
        app.conf.worker_hijack_root_logger = False
        @app.task
        def pay(amount): return amount
        @app.task(bind=True, max_retries=1, default_retry_delay=0)
        def fail(self):
            raise self.retry(exc=KeyError("no money"), countdown=0)
        """,
        send="import till\nfor k in range(10): till.pay.delay(k)\ntill.fail.delay()",
    )
    (tmp_path / "queue").mkdir()
    del environ["TALLYSTICK_APP"]
    sent = run(tmp_path, environ | {"TALLYSTICK_APP": "till"}, sys.executable, "send.py")
    assert sent.returncode == 0, sent.stderr
    assert door.sum("dev.apps.till.tasks.sent;task=till.pay") == 10
    worker = ["celery", "-A", "till", "worker", "-c", "2", "--without-gossip", "--without-mingle", "-l", "WARNING"]
    command = [*TALLYSTICK, "run", "--", sys.executable, "-m", *worker]
    log = tmp_path / "worker.log"
    with (
        log.open("w") as output,
        subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=output, stderr=output) as process,
    ):
        wait_until(lambda: not list((tmp_path / "queue").iterdir()), "the queue to be empty", log.read_text)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    apps = "dev.apps.till.tasks"
    assert door.sum(f"{apps}.runs;state=success;task=till.pay") == 10, (sorted(door.slots), log.read_text())
    assert door.sum(f"{apps}.runs;state=retry;task=till.fail") == 1
    assert door.sum(f"{apps}.runs;state=failure;task=till.fail") == 1
    assert (
        sum(slot["spread"]["count"] if slot["spread"] else 1 for slot in door.slots[f"{apps}.time;task=till.pay"]) == 10
    )
    assert door.sum(f"{apps}.wait;task=till.pay") > 0


@pytest.mark.parametrize(
    ("command", "app"),
    [
        ("python shop.py", "shop"),
        ("/usr/bin/python3.11 -u -X dev /srv/shop.py run", "shop"),
        ("python -m shop.main x", "shop"),
        ("python -m gunicorn --bind 0.0.0.0:80 shop.wsgi:application", "shop"),
        ("python /srv/shop/manage.py runserver", "shop"),
        ("python -c pass", "python"),
        ("gunicorn -w 4 --log-level info shop.wsgi", "shop"),
        ("uvicorn --host 0.0.0.0 main:app", "cwd"),
        ("uvicorn shop.main:create()", "shop"),
        ("celery -A shop.tasks worker", "shop"),
        ("celery --app=tasks worker", "cwd"),
        ("django-admin runserver --settings=shop.settings", "shop"),
        ("flask run", "flask"),
    ],
)
def test_an_application_is_named_by_its_command(command: str, app: str) -> None:
    assert app_of(command.split(), Path("/srv/cwd")) == app
