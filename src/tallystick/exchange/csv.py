"""CSV: the columns of `tallystick.exchange.columns` as text, or samples, as another program wrote them.

``time`` is written in epoch seconds; numbers are written so that they are read back to the same. A histogram is
``bucket:weight`` for each of its buckets, a sketch is in base64. Without a header, columns are name, time and value.
"""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from tallystick.exchange.columns import HISTOGRAM, SCHEMA, STATISTICS, from_batch, to_batch
from tallystick.exchange.foreign import folders_below
from tallystick.exchange.registry import Watch, reader, writer
from tallystick.model.errors import ForeignFileError
from tallystick.store.history import History

SUFFIXES = (".csv",)
_BLOCK_BYTES = 16 << 20
_TEXT = pa.schema(
    [
        ("name", pa.string()),
        ("kind", pa.string()),
        ("step", pa.int32()),
        ("time", pa.int64()),
        *((statistic, pa.float64()) for statistic in STATISTICS),
        ("histogram", pa.string()),
        ("sketch", pa.string()),
    ]
)
_TYPES = {name: pa.string() for name in ("name", "kind", "histogram", "sketch")} | {
    name: pa.float64() for name in (*STATISTICS, "value")
}


@reader("csv")
def read(path: Path, watch: Watch) -> Iterator[History]:
    """What a file, or all CSV files of a tree, hold."""
    for _, files in folders_below(path, watch):
        for file in files:
            if file == path or file.suffix.lower() in SUFFIXES:
                yield from _read_file(file, watch)


def _read_file(file: Path, watch: Watch) -> Iterator[History]:
    try:
        with file.open("rb") as source:
            header = source.readline(1 << 16).decode("utf-8", "replace").lower()
            source.seek(0)
            named = {"name", "time"} <= {word.strip(' "\r\n') for word in header.split(",")}
            options = csv.ReadOptions(
                block_size=_BLOCK_BYTES, column_names=None if named else ["name", "time", "value"]
            )
            rows = csv.open_csv(source, options, convert_options=csv.ConvertOptions(column_types=_TYPES))
            at = 0
            for batch in rows:
                yield from from_batch(_from_text(batch))
                watch.came(source.tell() - at)
                at = source.tell()
    except (ForeignFileError, pa.ArrowException, OSError, ValueError) as cause:
        watch(f"cannot read {file}: {cause}")


@writer("csv")
def write(path: Path, pieces: Iterable[History]) -> None:
    """Write history, with a header."""
    unfinished = path.with_name(path.name + ".part")
    try:
        with csv.CSVWriter(unfinished, _TEXT) as file:
            for piece in pieces:
                file.write_batch(_to_text(to_batch(piece)))
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _to_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = {name: batch.column(name) for name in SCHEMA.names}
    columns["time"] = columns["time"].cast(pa.int64())
    columns["histogram"] = pa.array([_buckets_text(row) for row in columns["histogram"].to_pylist()], pa.string())
    columns["sketch"] = pa.array(
        [base64.b64encode(row).decode() if row else None for row in columns["sketch"].to_pylist()], pa.string()
    )
    return pa.RecordBatch.from_arrays([columns[name].cast(_TEXT.field(name).type) for name in _TEXT.names], _TEXT.names)


def _from_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same columns with histograms and sketches as Arrow has them; an empty cell is none."""
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    if "kind" in columns:
        columns["kind"] = pc.if_else(pc.equal(columns["kind"], ""), None, columns["kind"])
    if "histogram" in columns:
        rows = [_buckets(text) for text in columns["histogram"].to_pylist()]
        columns["histogram"] = pa.array(rows, HISTOGRAM)
    if "sketch" in columns:
        sketches = [base64.b64decode(text, validate=True) if text else None for text in columns["sketch"].to_pylist()]
        columns["sketch"] = pa.array(sketches, pa.binary())
    return pa.RecordBatch.from_arrays(list(columns.values()), list(columns))


def _buckets_text(buckets: list[dict[str, float]] | None) -> str | None:
    return " ".join(f"{one['bucket']}:{one['weight']!r}" for one in buckets) if buckets else None


def _buckets(text: str | None) -> list[dict[str, float]] | None:
    if not text:
        return None
    pairs = [pair.partition(":") for pair in text.split()]
    return [{"bucket": int(bucket), "weight": float(weight)} for bucket, _, weight in pairs]
