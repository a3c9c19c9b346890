"""graphite-web on whisper's files at the same queries, for ``--peer``: evaluated in process, without HTTP and JSON.

It needs the environment that ``make oracle`` makes, and whisper.
"""

import importlib.util
import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.figure import Figure, benchmark, load
from bench.fleet import names_of, slot_now
from bench.prepared import times, walks
from bench.queries import QUERIES, YEAR, YEAR_HOURS
from bench.reading import DAY_SLOTS, ONE, SERIES, SIX_HOURS_SLOTS
from bench.server import temporary

_ENVIRONMENT = Path(__file__).parent.parent / ".oracle" / "bin" / "python"
_PROGRAM = Path(__file__).parent / "graphite_web_asked.py"
_ANSWER_S_MAX = 400


@benchmark("peer-graphite-web", peer=True)
def peer_graphite_web() -> Iterator[Figure]:
    """graphite-web 1.1.10 on whisper: the queries of `queries`, evaluated in process: no HTTP, no JSON."""
    found = importlib.util.find_spec("whisper")
    if not _ENVIRONMENT.exists() or found is None or found.origin is None:
        print("  cannot ask graphite-web: it is not installed; expected 'make oracle' and pip install whisper")
        return
    with temporary() as root:
        write_files(root / "whisper")
        asked = {
            "root": str(root),
            "whisper": found.origin,
            "now": slot_now() + 9,
            "queries": [[query.targets, _seconds(query.start), max(1, query.times // 20)] for query in QUERIES],
        }
        answer = subprocess.run(
            [_ENVIRONMENT, _PROGRAM], input=json.dumps(asked).encode(), capture_output=True, timeout=_ANSWER_S_MAX
        )
    if answer.returncode:
        raise SystemExit(f"cannot ask graphite-web:\n{answer.stderr.decode()}")
    for query, (taken, series, known) in zip(QUERIES, json.loads(answer.stdout), strict=True):
        if series != query.series or known < query.points:
            raise SystemExit(f"cannot trust the figures: {query.what} gave {series} series of {known} points")
        p50_ms = 1000 * sorted(taken)[len(taken) // 2]
        yield Figure(f"graphite-web: {query.what}, p50", p50_ms, "ms", note=load())
        yield Figure(f"graphite-web: {query.what}: points read a second", query.read / p50_ms / 1000, "M/s")


def write_files(folder: Path) -> None:
    """The same series as files of whisper; names of one slot only are left out."""
    now_s = slot_now()
    thousand = [name for name in names_of(SERIES) if name.endswith("core03.metric07")]
    _write(folder, ONE, 10, times(DAY_SLOTS, now_s).tolist(), walks(DAY_SLOTS, 1)[:, 0].tolist())
    stamps = times(SIX_HOURS_SLOTS, now_s).tolist()
    for name, values in zip(thousand, walks(SIX_HOURS_SLOTS, 1000, 2).T.tolist(), strict=True):
        _write(folder, name, 10, stamps, values)
    hours = times(YEAR_HOURS, now_s, 3600).tolist()
    _write(folder, YEAR, 3600, hours, walks(YEAR_HOURS, 1, 3)[:, 0].tolist())


def _write(folder: Path, name: str, step_s: int, stamps: Sequence[int], values: Sequence[float]) -> None:
    import whisper

    *branches, leaf = name.split(".")
    file = folder.joinpath(*branches) / f"{leaf}.wsp"
    file.parent.mkdir(parents=True, exist_ok=True)
    whisper.create(str(file), [(step_s, len(stamps) + 10)])
    whisper.update_many(str(file), list(zip(stamps, values, strict=True)))


def _seconds(start: str) -> int:
    """The length of ``-6h`` and ``-364d``."""
    return int(start[1:-1]) * {"h": 3600, "d": 86400}[start[-1]]
