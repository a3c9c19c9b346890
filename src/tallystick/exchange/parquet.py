"""Parquet files: all statistics of slots, without loss; or samples, as another program wrote them.

Both are read and written a group of rows at a time, so that memory does not follow the size of the file.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.exchange.columns import SCHEMA, STATISTICS, from_batch, to_batch
from tallystick.exchange.foreign import folders_below
from tallystick.exchange.registry import Watch, reader, writer
from tallystick.model.errors import ForeignFileError
from tallystick.store.history import History

SUFFIXES = (".parquet", ".pq")
_ROWS_AT_ONCE = 1 << 18


@reader("parquet")
def read(path: Path, watch: Watch) -> Iterator[History]:
    """What a file, or all Parquet files of a tree, hold."""
    for _, files in folders_below(path, watch):
        for file in files:
            if file == path or file.suffix.lower() in SUFFIXES:
                yield from _read_file(file, watch)


def _read_file(file: Path, watch: Watch) -> Iterator[History]:
    try:
        # As dictionaries: a long name that is written once must not become one for each row.
        texts = [name for name in ("name", "kind") if name in pq.read_schema(file).names]
        with pq.ParquetFile(file, read_dictionary=texts) as parquet:
            rows, size_bytes = max(1, parquet.metadata.num_rows), file.stat().st_size
            for batch in parquet.iter_batches(_ROWS_AT_ONCE):
                yield from from_batch(batch)
                watch.came(size_bytes * len(batch) // rows)
    except (ForeignFileError, pa.ArrowException, OSError) as cause:
        watch(f"cannot read {file}: {cause}")


@writer("parquet")
def write(path: Path, pieces: Iterable[History]) -> None:
    """Write history; each piece becomes a group of rows."""
    unfinished = path.with_name(path.name + ".part")
    try:
        with pq.ParquetWriter(
            unfinished,
            SCHEMA,
            compression="zstd",
            use_dictionary=["name", "kind", "step"],
            use_byte_stream_split=list(STATISTICS),
        ) as file:
            for piece in pieces:
                file.write_batch(to_batch(piece))
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
