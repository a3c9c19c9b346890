"""carbon with whisper at the same work, for ``--peer``: Debian's ``graphite-carbon``, or carbon from PyPI.

Where it is not installed, it is put into an environment of its own in a temporary directory, as its user would.
"""

import contextlib
import importlib.util
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.figure import Figure, benchmark, load
from bench.fleet import Fleet, slot_now
from bench.prepared import times, walks
from bench.process import Usage
from bench.sender import stream_sender
from bench.server import free_port, size_of, temporary, wait_until

SERIES = 10_000
_ROUNDS = 20
_KEPT_SLOTS = 360
_DAY_SLOTS, _SIX_HOURS_SLOTS = 8640, 2160
_INSTALL_S_MAX = 300

_CONFIG = """
[cache]
LOCAL_DATA_DIR = {root}/whisper
LOG_DIR = {root}
PID_DIR = {root}
ENABLE_LOGROTATION = False
MAX_CACHE_SIZE = inf
MAX_UPDATES_PER_SECOND = inf
MAX_CREATES_PER_MINUTE = inf
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {port}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = 0
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = 0
CARBON_METRIC_INTERVAL = 0
LOG_UPDATES = False
LOG_CREATES = False
"""
_SCHEMAS = """
[all]
pattern = .*
retentions = 10s:{seconds}s
"""


@benchmark("peer-carbon-whisper", peer=True)
def peer_carbon_whisper() -> Iterator[Figure]:
    """carbon-cache: CPU seconds until all lines are in whisper's files, and what a slot costs there."""
    fleet = Fleet(SERIES)
    first = fleet.lines(slot_now(_ROUNDS))
    rest = [fleet.lines(slot_now(_ROUNDS - 1 - k)) for k in range(_ROUNDS)]
    with temporary() as root:
        program = carbon_cache(root)
        if program is None:
            print("  cannot run carbon: neither graphite-carbon (Debian) nor carbon (PyPI) can be had here")
            return
        with running(program, root) as (process, port):
            send(port, first)
            files = root / "whisper" / "prod"
            wait_until(lambda: last_of(files) >= (SERIES, slot_now_of(first)), "carbon to make its files", 1.0)
            used, began = Usage.of(process.pid), time.monotonic()
            send(port, b"".join(rest))
            wait_until(lambda: last_of(files) >= (SERIES, slot_now_of(rest[-1])), "carbon to write all", 0.5)
            wall_s, cpu_s = time.monotonic() - began, Usage.of(process.pid).cpu_s - used.cpu_s
        lines, label = SERIES * _ROUNDS, f"carbon with whisper, {SERIES:,} series"
        yield Figure(f"{label}: CPU-s per million lines to disk", cpu_s / lines * 1e6, "CPU-s", note=load())
        yield Figure(f"{label}: lines a second to disk", lines / wall_s / 1e6, "M/s", note="not synced")
        yield Figure(
            f"{label}: bytes a slot", size_of(files) / (SERIES * _KEPT_SLOTS), "B", note="one value, no statistics"
        )


@benchmark("peer-whisper", peer=True)
def peer_whisper() -> Iterator[Figure]:
    """whisper's own files read by whisper in this process: a day of one series, six hours of a thousand."""
    if importlib.util.find_spec("whisper") is None:
        print("  cannot read by whisper: it is not installed; expected pip install whisper")
        return
    import whisper

    now_s = slot_now()
    with temporary() as root:
        day = root / "day.wsp"
        whisper.create(str(day), [(10, _DAY_SLOTS + 10)])
        whisper.update_many(str(day), list(zip(times(_DAY_SLOTS, now_s), walks(_DAY_SLOTS, 1)[:, 0], strict=True)))
        taken = []
        for _ in range(50):
            began = time.perf_counter()
            _, values = whisper.fetch(str(day), now_s - 86400, now_s)
            taken.append(1000 * (time.perf_counter() - began))
        if sum(value is not None for value in values) < _DAY_SLOTS - 10:
            raise SystemExit("cannot trust the figures: whisper did not find its values")
        yield Figure("whisper: one series, 24 h, fetched in process, p50", sorted(taken)[25], "ms", note=load())
        files = [root / f"{k}.wsp" for k in range(1000)]
        stamps = times(_SIX_HOURS_SLOTS, now_s).tolist()
        for file, column in zip(files, walks(_SIX_HOURS_SLOTS, 1000, 2).T.tolist(), strict=True):
            whisper.create(str(file), [(10, _SIX_HOURS_SLOTS + 10)])
            whisper.update_many(str(file), list(zip(stamps, column, strict=True)))
        taken = []
        for _ in range(3):
            began = time.perf_counter()
            rows = [whisper.fetch(str(file), now_s - 6 * 3600, now_s)[1] for file in files]
            np.nanmean(np.array(rows, np.float64), axis=0)
            taken.append(1000 * (time.perf_counter() - began))
        what = "whisper and NumPy: average of 1,000 series, 6 h, in process, p50"
        yield Figure(what, sorted(taken)[1], "ms", note=load())


def slot_now_of(lines: bytes) -> int:
    """The time of the last of some lines."""
    return int(lines[:-1].rpartition(b" ")[2])


def last_of(files: Path) -> tuple[int, int]:
    """How many files there are, and the time that all of them reach."""
    found = sorted(files.rglob("*.wsp"))
    newest = [_newest(file) for file in found]
    return len(found), min(newest, default=0)


def _newest(file: Path) -> int:
    data = file.read_bytes()
    if len(data) < 28 + 12 * _KEPT_SLOTS:
        return 0
    points = np.frombuffer(data, np.dtype([("at", ">u4"), ("value", ">f8")]), _KEPT_SLOTS, struct.calcsize("!2LfL3L"))
    return int(points["at"].max())


def send(port: int, text: bytes) -> None:
    """Send lines over TCP."""
    sender = stream_sender(port, [text])
    sender.go()
    sender.result()


def carbon_cache(root: Path) -> Path | None:
    """The program: that of the system, or one that is installed below `root` now."""
    for name in ("carbon-cache", "carbon-cache.py"):
        if found := shutil.which(name):
            return Path(found)
    folder = root / "environment"
    pip = [folder / "bin" / "pip", "install", "--quiet", "carbon", "whisper"]
    for command in ([sys.executable, "-m", "venv", folder], pip):
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_S_MAX)
        except (OSError, subprocess.SubprocessError):
            return None
    return folder / "bin" / "carbon-cache.py"


@contextlib.contextmanager
def running(program: Path, root: Path) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """A carbon-cache with its files below `root`, and its port."""
    port = free_port()
    conf = root / "conf"
    conf.mkdir()
    (conf / "carbon.conf").write_text(_CONFIG.format(root=root, port=port))
    (conf / "storage-schemas.conf").write_text(_SCHEMAS.format(seconds=10 * _KEPT_SLOTS))
    environment = os.environ | {"GRAPHITE_ROOT": str(root), "GRAPHITE_CONF_DIR": str(conf)}
    interpreter = [str(program.parent / "python")] if program.suffix == ".py" else []
    command = [*interpreter, str(program), "--nodaemon", f"--config={conf / 'carbon.conf'}", "start"]
    with (root / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        wait_until(lambda: _listens(port) or process.poll() is not None, "carbon to listen")
        if process.poll() is not None:
            raise SystemExit(f"cannot start carbon:\n{(root / 'output').read_text()}")
        yield process, port
    finally:
        process.kill()
        process.wait(timeout=60)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
