"""The shapes of what ``/api/query`` answers: series with their band as JSON, and columns as JSON or as bare numbers."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.described import Descriptions
from tallystick.model.description import NOTHING, Description
from tallystick.model.kind import Kind
from tallystick.model.statistic import STATISTICS
from tallystick.query import Band
from tallystick.query import Request as Reading
from tallystick.query.table import Table
from tallystick.render import Rendered
from tallystick.store.contract import StoreReader
from tallystick.web.meaning import meaning_of

COLUMNS_TYPE = "application/vnd.tallystick.columns"
_MAGIC = b"TLYC"


class Stretch(msgspec.Struct, frozen=True):
    """The finest slots that there are in a stretch of time; the first of them is forgotten at `expires`."""

    start: int
    until: int
    step: int
    kept_s: int
    expires: int


class Meta(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a series beside its numbers.

    What its values mean, as far as anybody said; and of what is no function of series where they come from: which
    statistic of which slots, and what finer ones there are.
    """

    unit: str = ""
    owner: str = ""
    description: str = ""
    alert: str = ""
    statistic: str = ""
    retention: str = ""
    parts: list[Stretch] | None = None


class Line(msgspec.Struct, frozen=True):
    """One series; `min` and `max` only where the target leaves its values untouched, and `meta` if it was asked for."""

    name: str
    target: str
    kind: str | None
    start: int
    step: int
    values: list[float]
    kept_s: int | None
    min: list[float] | msgspec.UnsetType = msgspec.UNSET
    max: list[float] | msgspec.UnsetType = msgspec.UNSET
    meta: Meta | msgspec.UnsetType = msgspec.UNSET


class Columns(msgspec.Struct, frozen=True):
    """One series with the statistics that were asked for."""

    name: str
    tags: dict[str, str]
    kind: str | None
    start: int
    step: int
    kept_s: int | None
    statistics: dict[str, list[float]]


class Packed(msgspec.Struct, frozen=True):
    """One series of an answer in bare numbers: what they are, column after column of `slots` each."""

    name: str
    target: str | None
    kind: str | None
    start: int
    step: int
    slots: int
    kept_s: int | None
    columns: list[str]


def json_of(asked: Reading, series: Sequence[Line | Columns]) -> bytes:
    """An answer as JSON."""
    return msgspec.json.encode({"from": asked.from_s, "until": asked.until_s, "series": series})


def packed(asked: Reading, series: Sequence[tuple[Packed, Sequence[NDArray[np.float64]]]]) -> Rendered:
    """An answer in bare numbers: ``TLYC``, the length of a head of JSON, the head, then float64 of each column.

    All numbers are little-endian, and the head ends in blanks so that the numbers begin at a multiple of eight: a
    browser lays a ``Float64Array`` over them and parses nothing.
    """
    heads = [head for head, _ in series]
    head = msgspec.json.encode({"from": asked.from_s, "until": asked.until_s, "series": heads})
    head += b" " * (-len(head) % 8)
    numbers = [np.ascontiguousarray(column, "<f8").tobytes() for _, columns in series for column in columns]
    return Rendered(b"".join([_MAGIC, len(head).to_bytes(4, "little"), head, *numbers]), COLUMNS_TYPE)


def packed_bands(
    store: StoreReader, targets: Sequence[str], bands: Sequence[Sequence[Band]], asked: Reading
) -> Rendered:
    """The series of targets with their bands, in bare numbers."""
    series = []
    for target, some in zip(targets, bands, strict=True):
        for band in some:
            grid = band.grid
            parts = {"value": grid.values, "min": band.low, "max": band.high}
            known = {word: values for word, values in parts.items() if values is not None}
            for i, row in enumerate(grid.rows):
                kind, kept_s = _of_series(store, band, i, asked)
                line = grid.start_s, grid.step_s, grid.values.shape[1]
                head = Packed(row.name, target, kind, *line, kept_s, list(known))
                series.append((head, [values[i] for values in known.values()]))
    return packed(asked, series)


def packed_table(table: Table, asked: Reading) -> Rendered:
    """A table in bare numbers."""
    series = []
    for i, (row, origin) in enumerate(zip(table.rows, table.origins, strict=True)):
        kind, kept_s = (origin.kind.name.lower(), origin.kept_s) if origin else (None, None)
        head = Packed(row.name, None, kind, table.start_s, table.step_s, table.slots, kept_s, list(table.columns))
        series.append((head, [values[i] for values in table.columns.values()]))
    return packed(asked, series)


def columns_of(table: Table) -> list[Columns]:
    """The series of a table, each with its statistics."""
    return [
        Columns(
            row.name,
            row.tags,
            origin.kind.name.lower() if origin else None,
            table.start_s,
            table.step_s,
            origin.kept_s if origin else None,
            {word: values[i].tolist() for word, values in table.columns.items()},
        )
        for i, (row, origin) in enumerate(zip(table.rows, table.origins, strict=True))
    ]


def lines_of(
    store: StoreReader,
    targets: Sequence[str],
    bands: Sequence[Sequence[Band]],
    asked: Reading,
    known: Descriptions | None = None,
) -> Iterator[Line]:
    """The series of targets with their bands; where `known` is given also what is known of each."""
    for target, some in zip(targets, bands, strict=True):
        of_target = NOTHING
        if known is not None and any(band.ids is None for band in some):
            of_target = meaning_of(target, store.catalog, known)
        for band in some:
            for i, row in enumerate(band.grid.rows):
                kind, kept_s = _of_series(store, band, i, asked)
                yield Line(
                    row.name,
                    target,
                    kind,
                    band.grid.start_s,
                    band.grid.step_s,
                    band.grid.values[i].tolist(),
                    kept_s,
                    _listed(band.low, i),
                    _listed(band.high, i),
                    msgspec.UNSET if known is None else _meta(store, band, i, known, of_target),
                )


def _of_series(store: StoreReader, band: Band, i: int, asked: Reading) -> tuple[str | None, int | None]:
    """The kind of the series that a row is, and how long its resolution is kept; None if it is made of others."""
    if band.ids is None:
        return None, None
    ids = band.ids[i : i + 1]
    resolution = store.retention(int(ids[0])).covering(asked.now_s - asked.from_s)
    return Kind(int(store.catalog.kinds(ids)[0])).name.lower(), resolution.keep_s


def _meta(store: StoreReader, band: Band, i: int, known: Descriptions, of_target: Description) -> Meta:
    """What is known of a row; of one that functions made what is known of its target."""
    if band.ids is None:
        return Meta(*of_target)
    ids, grid = band.ids[i : i + 1], band.grid
    statistic = STATISTICS[int(store.defaults(ids, grid.step_s)[0])]
    end_s = grid.start_s + grid.step_s * grid.values.shape[1]
    parts = store.parts(ids, grid.start_s, end_s)
    stretches = [Stretch(p.start_s, p.until_s, p.step_s, p.keep_s, p.start_s + p.step_s + p.keep_s) for p in parts]
    (name,) = store.catalog.names(ids)
    return Meta(*known.of(name), statistic.value, str(store.retention(int(ids[0]))), stretches)


def _listed(values: NDArray[np.float64] | None, i: int) -> list[float] | msgspec.UnsetType:
    return msgspec.UNSET if values is None else values[i].tolist()
