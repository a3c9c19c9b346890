"""Arrow's IPC stream: a row for each series, for programs that want columns and no text in between.

Columns: ``name``; ``tags``; ``kind`` and ``kept_s``, null where functions made the row; then one of
``fixed_size_list<double>`` for each statistic, with as many values as there are slots, NaN for a gap. The times are in
the metadata of the schema: ``start`` (epoch seconds of the first slot) and ``step`` (seconds), as decimal digits.
``series`` there is how many rows follow: a stream with fewer was cut off.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from tallystick.model.grid import Grid
from tallystick.query.table import Table
from tallystick.render.format import Options, Rendered, renderer

MEDIA_TYPE = "application/vnd.apache.arrow.stream"
_VALUES_A_BATCH = 1 << 17


class _Sink:
    """What Arrow writes to: keeps the parts of one batch until they are taken."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def take(self) -> bytes:
        """All parts since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


@renderer("arrow")
def render_arrow(grids: Sequence[Grid], options: Options) -> Rendered:
    """All series on one time line; where their steps differ, on the least common multiple of them."""
    return rendered_table(Table.of_grids(grids))


def rendered_table(table: Table) -> Rendered:
    """A table as a stream that is written while it is sent."""
    return Rendered(_stream(table), MEDIA_TYPE)


def _stream(table: Table) -> Iterator[bytes]:
    """A batch of rows at a time, about a megabyte: a large table is not in memory a second time."""
    sink, schema = _Sink(), _schema(table)
    with pa.ipc.new_stream(sink, schema) as writer:
        yield sink.take()
        rows = max(1, _VALUES_A_BATCH // max(1, table.slots * len(table.columns)))
        for first in range(0, len(table.rows), rows):
            writer.write_batch(_batch(table, first, first + rows, schema))
            yield sink.take()
    yield sink.take()


def _schema(table: Table) -> pa.Schema:
    values = pa.list_(pa.float64(), table.slots)
    fields = [
        pa.field("name", pa.string(), nullable=False),
        pa.field("tags", pa.map_(pa.string(), pa.string()), nullable=False),
        pa.field("kind", pa.string()),
        pa.field("kept_s", pa.int64()),
        *(pa.field(word, values, nullable=False) for word in table.columns),
    ]
    return pa.schema(fields, _metadata(table))


def _metadata(table: Table) -> dict[str, str]:
    return {"start": str(table.start_s), "step": str(table.step_s), "series": str(len(table.rows))}


def _batch(table: Table, first: int, end: int, schema: pa.Schema) -> pa.RecordBatch:
    """The rows from `first` up to `end` or to the last one."""
    rows, origins = table.rows[first:end], table.origins[first:end]
    columns = [
        pa.array([row.name for row in rows], pa.string()),
        pa.array([list(row.tags.items()) for row in rows], pa.map_(pa.string(), pa.string())),
        pa.array([origin and origin.kind.name.lower() for origin in origins], pa.string()),
        pa.array([origin and origin.kept_s for origin in origins], pa.int64()),
    ]
    for values in table.columns.values():
        flat = np.ascontiguousarray(values[first:end]).reshape(-1)
        columns.append(pa.FixedSizeListArray.from_arrays(pa.array(flat), table.slots))
    return pa.RecordBatch.from_arrays(columns, schema=schema)
