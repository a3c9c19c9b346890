"""Archives of RRDtool, as collectd, Munin, Ganglia and Cacti keep them: single files, trees of them, and XML dumps.

**Names** are those that the same data has when collectd's ``write_graphite`` sends it: ``web1.lan/cpu-0/cpu-user.rrd``
is ``web1_lan.cpu-0.cpu-user``, and of a file with several data sources each one's name follows:
``web1_lan.interface-eth0.if_octets.rx``. Munin's ``lan/web1.lan-cpu-user-d.rrd`` is ``lan.web1_lan.cpu.user``.

**Kinds**: all are gauges. RRDtool has no counts: what a data source of the types COUNTER, DERIVE and ABSOLUTE keeps are
rates per second, which collectd sends as such.

**Statistics**: archives of one step and different functions are one tally. Its count is the number of the file's steps
in the row, as if all had been known, so that averages weigh by time; what no archive keeps is assumed as narrow as the
others allow (no MIN: the average; no deviation: the least that smallest, largest and average permit).

**Time**: each moment is taken from the finest archive that reaches back to it; a row of a coarser one counts for the
part of its time that no finer one has. RRDtool's rows have the time of their end, slots of their beginning.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tallystick.exchange.foreign import component, folders_below, joined
from tallystick.exchange.registry import Watch, reader
from tallystick.exchange.regrid import Rows, regrid, step_for
from tallystick.exchange.rrd_dump import Archive, Dump, dump_of
from tallystick.model.deviations import least_m2
from tallystick.model.errors import ForeignFileError
from tallystick.model.kind import Kind
from tallystick.model.tally import Spread
from tallystick.store.history import History

SUFFIXES = (".rrd", ".xml")
_OPENING_BYTES = 1000
_MUNIN_SOURCE = "42"
_MUNIN_TYPES = ("-g", "-d", "-c", "-a")
_NEVER_S = np.iinfo(np.int64).max


def recognised(path: Path) -> bool:
    """Whether a file says of itself that it is an archive of RRDtool, or a dump of one."""
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return False
    with path.open("rb") as file:
        opening = file.read(_OPENING_BYTES)
    return opening.startswith(b"RRD\0") or b"<rrd" in opening


@reader("rrd")
def read(path: Path, watch: Watch) -> Iterator[History]:
    """What a file, or all archives of a tree, hold: a piece for each step of each file.

    Raises
    ------
    StartError
        If the program ``rrdtool`` is needed and missing; the text names the package.
    """
    for folders, files in folders_below(path, watch):
        for file in files:
            if file == path or file.suffix.lower() == ".rrd" or recognised(file):
                yield from _read_file(file, folders, watch)


def _read_file(file: Path, folders: tuple[str, ...], watch: Watch) -> Iterator[History]:
    try:
        dump = dump_of(file)
        yield from histories(dump, names_of(folders, file.name, dump.sources))
        watch.came(file.stat().st_size)
    except (ForeignFileError, OSError) as cause:
        watch(str(cause))
    except ValueError as cause:
        watch(f"cannot read {file}: {cause}")


def names_of(folders: tuple[str, ...], file_name: str, sources: list[str]) -> list[str]:
    """The series of a file's data sources.

    Raises
    ------
    ValueError
        If one has no usable name, or two have the same.
    """
    stem = file_name.removesuffix(".xml").removesuffix(".rrd")
    of_munin = sources == [_MUNIN_SOURCE] and stem.endswith(_MUNIN_TYPES)
    last = _munin(stem[:-2]) if of_munin else [component(stem)]
    components = [component(folder) for folder in folders] + last
    names = [joined([*components, *([component(source)] if len(sources) > 1 else [])]) for source in sources]
    if len(set(names)) < len(names):
        raise ValueError(f"two data sources are both named {max(names, key=names.count)}")
    return names


def _munin(stem: str) -> list[str]:
    """Host, plug-in and field of ``web1.lan-cpu-user``; a host without a dot ends at the first hyphen."""
    dot = stem.rfind(".")
    host, _, rest = stem[dot + 1 :].partition("-")
    return [component(stem[: dot + 1] + host), *(component(part) for part in rest.split("-"))]


def histories(dump: Dump, names: list[str]) -> Iterator[History]:
    """The pieces of a file, finest step first."""
    by_step: dict[int, list[Rows]] = {}
    covered_s = np.full(len(names), _NEVER_S)
    for steps in sorted({archive.steps for archive in dump.archives}):
        level = _level(dump, steps)
        if level is not None:
            rows = _rows(level, covered_s)
            by_step.setdefault(step_for(level.row_s), []).append(rows)
            covered_s = np.minimum(covered_s, _reaches_back(level))
    for step_s, parts in by_step.items():
        tally = regrid(_in_order(parts), step_s)
        if len(tally):
            yield History(names, [Kind.GAUGE] * len(names), tally)


@dataclass(frozen=True, slots=True)
class _Level:
    """The archives of one step together; matrices are sources x rows, oldest first."""

    steps: int
    row_s: int
    end_s: NDArray[np.int64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    last: NDArray[np.float64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where there is a value, and a time after the epoch for it."""
        known: NDArray[np.bool_] = ~np.isnan(self.mean) & (self.end_s >= self.row_s)
        return known


def _level(dump: Dump, steps: int) -> _Level | None:
    archives = [archive for archive in dump.archives if archive.steps == steps]
    n_rows, row_s = max(len(archive.values) for archive in archives), steps * dump.step_s
    if not n_rows:
        return None
    average, low, high, last = (
        _matrix(archives, function, n_rows, len(dump.sources)) for function in ("AVERAGE", "MIN", "MAX", "LAST")
    )
    mean = _first_known(average, last, (low + high) / 2, low, high)
    newest_s = dump.last_update_s // row_s * row_s
    end_s = newest_s - row_s * np.arange(n_rows - 1, -1, -1, dtype=np.int64)
    return _Level(steps, row_s, end_s, mean, np.fmin(low, mean), np.fmax(high, mean), _first_known(last, mean))


def _matrix(archives: list[Archive], function: str, n_rows: int, n_sources: int) -> NDArray[np.float64]:
    """float64[sources, rows] of one function, NaN where its archive does not reach."""
    matrix = np.full((n_sources, n_rows), np.nan)
    for archive in archives:
        if archive.function == function:
            mine = matrix[:, n_rows - len(archive.values) :]
            mine[:] = _first_known(mine, archive.values.T)
    return matrix


def _first_known(*choices: NDArray[np.float64]) -> NDArray[np.float64]:
    found = choices[0]
    for choice in choices[1:]:
        found = np.where(np.isnan(found), choice, found)
    return found


def _reaches_back(level: _Level) -> NDArray[np.int64]:
    """For each source, the beginning of its oldest known row."""
    known = level.known
    first = np.argmax(known, axis=1)
    return np.where(known.any(axis=1), level.end_s[first] - level.row_s, _NEVER_S)


def _rows(level: _Level, covered_s: NDArray[np.int64]) -> Rows:
    """The known rows of a level, each up to where a finer level begins."""
    begin_s = level.end_s - level.row_s
    source, row = np.nonzero(level.known & (begin_s < covered_s[:, None]))
    start_s, end_s = begin_s[row], np.minimum(level.end_s[row], covered_s[source])
    mean, low, high = (matrix[source, row] for matrix in (level.mean, level.low, level.high))
    whole = np.full(len(row), float(level.steps))
    share = (end_s - start_s) / level.row_s
    count = whole * share
    spread = Spread(count, count * mean, least_m2(whole, mean, low, high) * share, low, high)
    return Rows(source.astype(np.int32), start_s, end_s, level.last[source, row], spread)


def _in_order(parts: list[Rows]) -> Rows:
    """All rows by series and time."""
    if len(parts) == 1:
        return parts[0]
    series, start_s, end_s, last = (
        np.concatenate([getattr(part, column) for part in parts]) for column in ("series", "start_s", "end_s", "last")
    )
    spread = Spread(
        *(
            np.concatenate([getattr(part.spread, column) for part in parts])
            for column in ("count", "sum", "m2", "min", "max")
        )
    )
    order = np.lexsort((start_s, series))
    return Rows(series[order], start_s[order], end_s[order], last[order], spread.take(order))
