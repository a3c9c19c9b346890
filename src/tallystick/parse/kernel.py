"""What parsers with a kernel have in common: scratch memory, names with room for more, and the results."""

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Listener
from tallystick.kernels import rows as at
from tallystick.kernels.names import NameTable
from tallystick.kernels.packed import padded
from tallystick.kernels.rows import Rows
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.model.sample import SampleBatch
from tallystick.parse.contract import LINE_BYTES_MAX, REJECTS_NOTED_MAX, Parsed, Parser, Rejects

_NAMES_AT_ONCE = 4096
_NAME_BYTES_AT_ONCE = 1 << 18


class KernelParser(ABC):
    """A parser whose work is done by a kernel, over spans of a buffer; subclasses say where spans begin and end.

    Parameters
    ----------
    line_bytes_max
        Longer lines, or frames, are rejected whole and counted once.
    """

    protocol: ClassVar[str]
    sample_bytes_min: ClassVar[int]
    """The fewest bytes that a sample can take."""
    plain: ClassVar[bool] = False
    """Whether all samples are gauges of weight 1, so that the kernel leaves those columns alone."""

    def __init__(self, line_bytes_max: int = LINE_BYTES_MAX) -> None:
        self.line_bytes_max = line_bytes_max
        self._rows = _new_rows(0)

    @classmethod
    def configured(cls, listener: Listener) -> Self:
        """A parser for a listener; protocols with options of their own read those too."""
        return cls(listener.line_bytes_max) if listener.line_bytes_max else cls()

    @classmethod
    def prepare(cls) -> None:
        """See `tallystick.parse.contract.Parser.prepare`; parses nothing, into names of its own."""
        empty = np.zeros(1, np.int64), np.zeros(1, np.int32)
        cls().parse_datagrams(padded(b""), *empty, NameTable(), 0)

    def connected(self, host: str = "") -> Parser:
        """See `tallystick.parse.contract.Parser.connected`."""
        return self

    def parse_datagrams(
        self,
        buffer: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        lengths: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> Parsed:
        """See `tallystick.parse.contract.Parser.parse_datagrams`."""
        return self._run(buffer, offsets, lengths, names, now_ms, consumed=int(np.sum(lengths)))

    @abstractmethod
    def parse(
        self,
        buffer: NDArray[np.uint8],
        length: int,
        names: NameTable,
        now_ms: int,
        *,
        final: bool = False,
        skipping: bool = False,
    ) -> Parsed:
        """See `tallystick.parse.contract.Parser.parse`."""

    @abstractmethod
    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        """Have the kernel parse spans into ``self._rows``; returns `DONE` or `NAMES_FULL`."""

    def _finished(self, parsed: Parsed, buffer: NDArray[np.uint8]) -> Parsed:
        """What is given back; a protocol whose senders are answered adds what they are told."""
        return parsed

    def _run(
        self,
        buffer: NDArray[np.uint8],
        offsets: NDArray[np.int64] | list[int],
        lengths: NDArray[np.int32] | list[int],
        names: NameTable,
        now_ms: int,
        *,
        consumed: int,
        skipping: bool = False,
        fault: tuple[Reason, int, int] | None = None,
    ) -> Parsed:
        """Parse spans; `fault` is what the caller found wrong behind them: reason, position and length."""
        starts, sizes = np.asarray(offsets, np.int64), np.asarray(lengths, np.int32)
        samples_max = int(sizes.sum()) // self.sample_bytes_min + len(sizes)
        if samples_max > len(self._rows.ids):
            self._rows = _new_rows(samples_max)
        rows = self._rows
        rows.progress[:] = 0
        rows.progress[at.POSITION] = rows.progress[at.PREVIOUS] = -1
        rows.progress[at.TRUST] = 1
        rows.reject_counts[:] = 0
        while self._call(buffer, starts, sizes, names, now_ms) != at.DONE:
            names.reserve(_NAMES_AT_ONCE, _NAME_BYTES_AT_ONCE)
        self._convert_hard(buffer)
        if fault is not None:
            self._note(*fault)
            rows.progress[at.SEEN] += 1
        parsed = Parsed(
            self._batch(),
            self._rejects(),
            int(rows.progress[at.SEEN]),
            consumed,
            skipping,
            began=rows.began[: len(starts)].copy(),
        )
        return self._finished(parsed, buffer)

    def _convert_hard(self, buffer: NDArray[np.uint8]) -> None:
        """Have Python read the numbers that the kernel could not round; drop those that are too large for a float."""
        rows = self._rows
        values = rows.value.view(np.float64)
        overflown = []
        for row, start, length in rows.hard[: rows.progress[at.HARD_ROWS]].tolist():
            values[row] = float(buffer[start : start + length].tobytes())
            if np.isinf(values[row]):
                overflown.append(row)
                self._note(Reason.VALUE_NOT_FINITE, start, length)
        if overflown:
            kept = np.delete(np.arange(rows.progress[at.ROWS]), overflown)
            for column in (rows.ids, rows.timestamp, rows.value, rows.weight, rows.kind):
                column[: len(kept)] = column[kept]
            rows.began[:, 0] -= np.searchsorted(overflown, rows.began[:, 0])
            rows.progress[at.ROWS] = len(kept)

    def _note(self, reason: Reason, start: int, length: int) -> None:
        rows, k = self._rows, int(self._rows.progress[at.REJECTS])
        rows.reject_counts[reason] += 1
        if k < REJECTS_NOTED_MAX:
            rows.reject_offset[k], rows.reject_length[k], rows.reject_reason[k] = start, length, reason
            rows.progress[at.REJECTS] = k + 1

    def _batch(self) -> SampleBatch:
        rows, n = self._rows, int(self._rows.progress[at.ROWS])
        return SampleBatch(
            rows.ids[:n].copy(),
            rows.timestamp[:n].copy(),
            rows.value[:n].copy().view(np.float64),
            np.ones(n) if self.plain else rows.weight[:n].copy(),
            np.full(n, int(Kind.GAUGE), np.uint8) if self.plain else rows.kind[:n].copy(),
        )

    def _rejects(self) -> Rejects:
        rows, k = self._rows, int(self._rows.progress[at.REJECTS])
        if not k:  # the first ones are always noted
            return Rejects.none()
        return Rejects(
            rows.reject_offset[:k].copy(),
            rows.reject_length[:k].copy(),
            rows.reject_reason[:k].copy(),
            rows.reject_counts.copy(),
        )


def _new_rows(samples: int) -> Rows:
    return Rows(
        ids=np.empty(samples, np.int32),
        timestamp=np.empty(samples, np.int64),
        value=np.empty(samples, np.uint64),
        weight=np.empty(samples),
        kind=np.empty(samples, np.uint8),
        hard=np.empty((samples, 3), np.int64),
        reject_offset=np.empty(REJECTS_NOTED_MAX, np.int64),
        reject_length=np.empty(REJECTS_NOTED_MAX, np.int32),
        reject_reason=np.empty(REJECTS_NOTED_MAX, np.uint8),
        reject_counts=np.zeros(len(Reason), np.int64),
        began=np.empty((samples, 2), np.int64),
        progress=np.zeros(at.PROGRESS_SIZE, np.int64),
        name=np.zeros(at.NAME_SCRATCH_BYTES, np.uint8),
    )
