"""Compiling the kernels before data arrives.

Numba compiles a kernel at its first call and keeps the result on disk. A new installation would do that while the first
samples wait, so `warm_up` sends a few of each kind through a whole server in a temporary directory. The kernels of
further protocols are compiled before their first bytes (`tallystick.parse.ready`), or by `warm_protocols`.
"""

import multiprocessing
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np

from tallystick.config import Config, Http, Listener, Store
from tallystick.kernels import cache
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Histograms, Spread, TallyBatch
from tallystick.parse import padded, protocols
from tallystick.parse.ready import make_ready
from tallystick.query import Evaluator, Request
from tallystick.render import Options, render
from tallystick.service import Service

_NOW_S = 1_700_000_000
_WORKERS_MAX = 4  # each takes half a gigabyte

Report = Callable[[float, str], None]
"""Told the share that is done, 0 to 1, and what is being compiled."""


def is_warm() -> bool:
    """Whether this installation has been warmed up on this machine."""
    return _stamp().exists()


def warm_up(report: Report) -> None:
    """Compile everything that a server uses: half a minute the first time, a second later on."""
    with tempfile.TemporaryDirectory(prefix="tallystick-warm-") as directory:
        clock = ManualClock(float(_NOW_S))
        config = Config(
            http=Http(address="127.0.0.1:0"),
            listeners=(Listener(protocol="statsd", address="udp://127.0.0.1:0"),),
            store=Store(directory=directory),
        )
        service = Service(config, clock)
        steps: list[tuple[str, Callable[[], None]]] = [
            ("carbon lines", lambda: _feed(service, "carbon", _carbon_lines())),
            ("StatsD lines", lambda: _feed(service, "statsd", _STATSD)),
            ("tallied slots", lambda: _tally(service)),
            ("datagrams", service.start),
            ("late samples", lambda: _feed(service, "carbon", _late_lines())),
            ("reading", lambda: _read(service)),
            ("sealing", service.store.maintenance.seal),
            ("compaction", lambda: _compact(service, clock)),
            ("reading blocks", lambda: _read(service)),
        ]
        for k, (what, step) in enumerate(steps):
            report(k / len(steps), what)
            step()
        service.stop()
    stamp = _stamp()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.touch()
    report(1.0, "done")


def warm_protocols(report: Report) -> None:
    """Compile the parsers of all protocols: some minutes the first time, seconds later on.

    Notes
    -----
    Numba compiles one kernel at a time in a process, so there is a process for each core, up to `_WORKERS_MAX`.
    """
    names = list(protocols())
    workers = min(os.cpu_count() or 1, _WORKERS_MAX)
    # A fork would take Numba's threads along in the middle of what they do.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        compiled = {pool.submit(_compile, name): name for name in names}
        for k, one in enumerate(as_completed(compiled), 1):
            one.result()
            report(k / len(names), compiled[one])


def _compile(protocol: str) -> None:
    make_ready(protocols()[protocol]())


_STATSD = b"warm.c:1|c\nwarm.c:2|c|@0.5\nwarm.g:5|g\nwarm.g:+1|g\nwarm.t:3.5|ms\nwarm.t:7|ms\nwarm.s:member|s\n"


def _carbon_lines() -> bytes:
    lines = [f"warm.a{k % 40} {k}.5 {_NOW_S - k % 2}" for k in range(400)]
    return "\n".join(lines).encode() + b"\n"


def _late_lines() -> bytes:
    return b"".join(b"warm.a%d 1 %d\n" % (k % 9, _NOW_S - 9000 + 20 * k) for k in range(60))


def _feed(service: Service, protocol: str, text: bytes) -> None:
    parser = protocols()[protocol]()
    account = service.ledger.account("warm")
    service.intake.parse_stream(parser, padded(text), len(text), account, skipping=False, final=True)


def _tally(service: Service) -> None:
    ids = service.store.create(["warm.tallied"], [Kind.TIMING])
    kind, last = np.full(2, int(Kind.TIMING), np.uint8), np.full(2, 2.0)
    at_ms = np.array([_NOW_S, _NOW_S - 9000]) * 1000
    spread = Spread(np.full(2, 2.0), np.full(2, 4.0), np.zeros(2), last, last)
    histograms = Histograms(np.arange(3), np.full(2, 32, np.int32), np.full(2, 2.0))
    service.store.append(
        SampleBatch.of([], [], []), TallyBatch(np.repeat(ids, 2), at_ms, kind, last, spread, histograms)
    )


def _read(service: Service) -> None:
    ids = service.store.catalog.ids()
    for step_s in (10, 60):
        start_s, until_s = (_NOW_S - 9600) // step_s * step_s, (_NOW_S + 60) // step_s * step_s
        service.store.read(ids, start_s, until_s, step_s)
        service.store.read(ids, start_s, until_s, step_s, (Statistic.LAST,))
        service.store.percentiles(ids, start_s, until_s, step_s, (99.0,))
    everything = Request(from_s=_NOW_S - 9600, until_s=_NOW_S, now_s=_NOW_S)
    targets = ["averageSeries(warm.*)", "movingAverage(warm.*,3)", "holtWintersForecast(warm.*,'1h','10min')"]
    grids = Evaluator(service.store, ManualClock(float(_NOW_S))).evaluate(targets, everything)
    render("json", grids, Options())


def _compact(service: Service, clock: ManualClock) -> None:
    clock.advance(86400)
    service.store.maintenance.compact()
    clock.advance(-86400)


def _stamp() -> Path:
    """A file beside the compiled kernels, there once all of them are."""
    return cache.folder() / f"warm-{cache.digest_of_all()}"
