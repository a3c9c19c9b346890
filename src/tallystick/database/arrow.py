"""Reading the Arrow stream of a server: its columns become a `Result` without a text in between.

The stream is taken for a stranger's: its schema is compared first, sizes with what may be read before memory is taken,
and each batch is validated before it is looked at. Compressed batches are refused, since a small one can hold any size;
ours are not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.database.http import Body, Server
from tallystick.database.result import Result
from tallystick.exchange.messages import announced
from tallystick.model.errors import LimitError

MEDIA_TYPE = "application/vnd.apache.arrow.stream"

_FIXED = {"name": pa.string(), "tags": pa.map_(pa.string(), pa.string()), "kind": pa.string(), "kept_s": pa.int64()}
_STATISTICS_MAX = 1000


def read_result(server: Server, body: Body) -> Result:
    """The result that a stream holds.

    Raises
    ------
    LimitError
        If it is larger than may be read.
    ServerError
        If the connection breaks, or the stream is not whole and as expected.
    """
    try:
        return _read(pa.ipc.MessageReader.open_stream(body), server)
    except (pa.ArrowException, OSError, ValueError, _StreamError) as error:
        # ValueError is what pyarrow's Python half says of names that are no text and the like, and `announced`.
        raise server.unusable(f"its Arrow stream cannot be read ({_first_line(error)})") from error


class _StreamError(Exception):
    """The stream is not one of ours, or not whole."""


def _read(messages: pa.ipc.MessageReader, server: Server) -> Result:
    schema = pa.ipc.read_schema(_next(messages))
    start_s, step_s, count, slots = _told(schema)
    words = schema.names[len(_FIXED) :]
    if count * slots * len(words) * 8 > server.answer_bytes_max:
        raise LimitError(
            f"cannot take the answer of {server.url}: {count} series of {slots} slots are larger than "
            f"answer_bytes_max = {server.answer_bytes_max}; expected a narrower path, a shorter range or a longer step"
        )
    columns = {word: np.empty((count, slots)) for word in words}
    fixed: dict[str, list[object]] = {name: [] for name in _FIXED}
    filled = 0
    for batch in _batches(messages, schema):
        end = filled + batch.num_rows
        if end > count:
            raise _StreamError(f"it has more than the {count} series that it announces")
        for name, values in fixed.items():
            values.extend(batch.column(name).to_pylist())
        for word, column in columns.items():
            column[filled:end] = _matrix(batch.column(word), slots)
        filled = end
    if filled != count:
        raise _StreamError(f"it ends after {filled} of {count} series")
    return Result(
        tuple(map(str, fixed["name"])),
        tuple(dict(one) for one in fixed["tags"] if isinstance(one, list)),
        tuple(None if one is None else str(one) for one in fixed["kind"]),
        tuple(one if isinstance(one, int) else None for one in fixed["kept_s"]),
        start_s,
        step_s,
        columns,
    )


def _told(schema: pa.Schema) -> tuple[int, int, int, int]:
    """Start, step, series and slots of a stream, whose columns are those that they should be."""
    metadata = schema.metadata or {}
    told = [metadata.get(key, b"") for key in (b"start", b"step", b"series")]
    if not all(text.isdigit() and len(text) <= 12 for text in told):
        raise _StreamError("its schema does not tell start, step and series")
    fields = list(zip(schema.names, schema.types, strict=True))
    words, values = schema.names[len(_FIXED) :], schema.types[len(_FIXED) :]
    right = fields[: len(_FIXED)] == list(_FIXED.items()) and 1 <= len(words) == len(set(words)) <= _STATISTICS_MAX
    if not (right and pa.types.is_fixed_size_list(values[0]) and values[0].list_size >= 0):
        raise _StreamError(f"its columns are {', '.join(schema.names[:8])!r}")
    if any(one != pa.list_(pa.float64(), values[0].list_size) for one in values):
        raise _StreamError("its statistics are no lists of numbers of one length")
    start_s, step_s, count = (int(text) for text in told)
    if step_s < 1:
        raise _StreamError("its step is 0")
    return start_s, step_s, count, values[0].list_size


def _batches(messages: pa.ipc.MessageReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            message = messages.read_next_message()
        except StopIteration:
            return
        if message.type != "record batch" or announced(message.metadata.to_pybytes()).is_compressed:
            raise _StreamError("it has messages other than plain record batches")
        batch = pa.ipc.read_record_batch(message, schema)
        batch.validate(full=True)
        yield batch


def _next(messages: pa.ipc.MessageReader) -> pa.ipc.Message:
    try:
        message = messages.read_next_message()
    except StopIteration:
        raise _StreamError("it is empty") from None
    if message.type != "schema":
        raise _StreamError("it does not begin with a schema")
    return message


def _matrix(column: pa.Array, slots: int) -> NDArray[np.float64]:
    values = column.flatten()
    if column.null_count or values.null_count:
        raise _StreamError("it has nulls where numbers belong")
    matrix: NDArray[np.float64] = values.to_numpy(zero_copy_only=True).reshape(len(column), slots)
    return matrix


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
