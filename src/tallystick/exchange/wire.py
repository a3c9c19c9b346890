"""Imports over HTTP: the columns of `tallystick.exchange.columns` as an Arrow stream in the body of a request."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.exchange.columns import from_batch, to_short_batch
from tallystick.model.errors import ForeignFileError
from tallystick.store.history import History

PATH = "/api/store/import"
CONTENT_TYPE = "application/vnd.apache.arrow.stream"
BODY_BYTES_MAX = 64 << 20
"""Larger bodies are refused; whoever sends more sends several."""


def encode(history: History) -> Iterator[tuple[bytes, History]]:
    """Bodies that a server takes, each with the part of the history that it holds."""
    sink = pa.BufferOutputStream()
    batch = to_short_batch(history)
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    body = sink.getvalue().to_pybytes()
    if len(body) <= BODY_BYTES_MAX or len(history) < 2:
        yield body, history
        return
    # By halves, each without the names that it does not need.
    middle = len(history) // 2
    for rows in (np.arange(middle), np.arange(middle, len(history))):
        yield from encode(_only(history, rows))


def decode(body: bytes | bytearray | memoryview) -> Iterator[History]:
    """The pieces in a body.

    Raises
    ------
    ForeignFileError
        If it is no Arrow stream, or has other columns.
    """
    try:
        with pa.ipc.open_stream(pa.py_buffer(body)) as stream:
            for batch in stream:
                batch.validate(full=True)
                yield from from_batch(batch)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ForeignFileError(f"cannot read the body: {error}; expected a whole Arrow stream") from error


def _only(history: History, rows: NDArray[np.int64]) -> History:
    used, series = np.unique(history.tally.series[rows], return_inverse=True)
    names, kinds = [history.names[k] for k in used.tolist()], [history.kinds[k] for k in used.tolist()]
    return History(names, kinds, history.tally.take(rows, series.astype(np.int32)))
