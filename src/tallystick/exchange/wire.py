"""Imports over HTTP: the columns of `tallystick.exchange.columns` as an Arrow stream in the body of a request."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tallystick.exchange.columns import from_batch, to_short_batch
from tallystick.exchange.messages import announced
from tallystick.model.errors import ForeignFileError
from tallystick.store.history import History

PATH = "/api/store/import"
CONTENT_TYPE = "application/vnd.apache.arrow.stream"
BODY_BYTES_MAX = 64 << 20
"""Larger bodies are refused; whoever sends more sends several."""
ROWS_MAX = 1 << 22
"""Rows of all batches of a body, and entries of all its dictionaries; more than `encode` gets into one."""
BATCHES_MAX = 10_000
STEPS_MAX = 64
"""Different steps in a body; each becomes blocks of its own."""


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
    """The pieces in a body, of a memory that follows its size whatever it announces.

    Raises
    ------
    ForeignFileError
        If it is no Arrow stream, is compressed, has other columns, or more of something than a body may.
    """
    try:
        _check(pa.py_buffer(body))
        with pa.ipc.open_stream(pa.py_buffer(body)) as stream:
            yield from _with_few_steps(stream)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ForeignFileError(f"cannot read the body: {error}; expected a whole Arrow stream") from error


def _with_few_steps(batches: Iterable[pa.RecordBatch]) -> Iterator[History]:
    steps: set[int] = set()
    for batch in batches:
        batch.validate(full=True)
        for piece in from_batch(batch):
            steps.add(piece.tally.step_s)
            if len(steps) > STEPS_MAX:
                raise ForeignFileError(f"cannot take slots of so many different steps; expected at most {STEPS_MAX}")
            yield piece


def _check(body: pa.Buffer) -> None:
    """Look at what all messages announce before one of them is unpacked.

    Raises
    ------
    ValueError
        If a message is compressed, or they have too many rows.
    """
    rows = {False: 0, True: 0}
    for n, message in enumerate(pa.ipc.MessageReader.open_stream(pa.BufferReader(body))):
        told = announced(message.metadata.to_pybytes())
        if told.is_compressed:
            raise ValueError("its batches are compressed, and a small one can hold any size")
        rows[told.is_dictionary] += told.rows
        if not 0 <= told.rows <= rows[told.is_dictionary] <= ROWS_MAX or n > BATCHES_MAX:
            raise ValueError(f"it has more than {ROWS_MAX} rows or {BATCHES_MAX} batches")


def _only(history: History, rows: NDArray[np.int64]) -> History:
    used, series = np.unique(history.tally.series[rows], return_inverse=True)
    names, kinds = [history.names[k] for k in used.tolist()], [history.kinds[k] for k in used.tolist()]
    return History(names, kinds, history.tally.take(rows, series.astype(np.int32)))
