"""OpenTelemetry's metrics (OTLP 1.x) as JSON: the other encoding of the body of ``POST /v1/metrics``.

A body is checked against the types of the schema, written as Protocol Buffers, and from there on it is one: everything
that `tallystick.parse.otlp` says holds. As the specification has it, keys are in lowerCamelCase, unknown ones are
passed over, whole numbers of 64 bits may be in quotes, and so may ``NaN`` and ``Infinity``. ``null`` is what is not
there. As OpenTelemetry's Collector has it, keys may also be as the schema spells them (``time_unix_nano``), and a
temporality may be its name. Members may be in any order; of what is given twice the last counts, and lists are joined.

- **Counting.** A body that is no JSON in UTF-8, is nested deeper than `DEPTH_MAX`, or whose values are of other types,
  counts as one, and nothing of it is taken.

Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.json_text import BROKEN, DEPTH_MAX
from tallystick.kernels.names import NameTable
from tallystick.kernels.otlp_json import HARD_BYTES_MIN, OUT_BYTES_EACH, OUT_BYTES_MORE, Encoding, encode_body
from tallystick.kernels.words import PADDING
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason
from tallystick.parse.contract import Parsed, Rejects
from tallystick.parse.otlp import OtlpParser
from tallystick.parse.registry import protocol

__all__ = ["DEPTH_MAX", "OtlpJsonParser"]

_BROKEN_BODY = 0  # a byte that is no message: field 0 does not exist


@protocol("otlp-json")
class OtlpJsonParser(OtlpParser):
    """Bodies in JSON; parameters as of `OtlpParser`."""

    sample_bytes_min = 4
    _encoding = Encoding(
        np.zeros(0, np.uint8), np.zeros((0, 3), np.int64), np.zeros(1, np.int64), np.zeros((DEPTH_MAX, 3), np.int64)
    )

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
        spans = [(int(start), int(start) + int(size)) for start, size in zip(offsets, lengths, strict=True)]
        encoded, bounds = self._encoded(buffer, spans)
        parsed = super()._run(
            encoded,
            bounds[:-1],
            np.diff(bounds).astype(np.int32),
            names,
            now_ms,
            consumed=consumed,
            skipping=skipping,
            fault=fault,
        )
        if not parsed.rejects.total:
            return parsed
        return replace(parsed, rejects=_at_home(parsed.rejects, encoded, bounds[:-1], buffer, spans))

    def _encoded(
        self, buffer: NDArray[np.uint8], spans: list[tuple[int, int]]
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The bodies as Protocol Buffers, one behind the other, and where each begins; a broken one is broken there."""
        size = sum(stop - start for start, stop in spans)
        room = OUT_BYTES_EACH * size + OUT_BYTES_MORE * (len(spans) + 1) + PADDING
        hard_room = size // HARD_BYTES_MIN + 1
        if room > len(self._encoding.out):
            self._encoding = Encoding(
                np.empty(room, np.uint8),
                np.empty((hard_room, 3), np.int64),
                np.zeros(1, np.int64),
                np.empty((DEPTH_MAX, 3), np.int64),
            )
        out, hard_rows = self._encoding.out, self._encoding.hard_rows
        length, bounds = 0, [0]
        for start, stop in spans:
            hard_rows[0] = 0
            stopped = encode_body(buffer, start, stop, self._encoding, length)
            if stopped == BROKEN:
                out[length] = _BROKEN_BODY
                stopped = length + 1
            else:
                self._convert_doubles(buffer)
            length = stopped
            bounds.append(length)
        return out, np.array(bounds, np.int64)

    def _convert_doubles(self, buffer: NDArray[np.uint8]) -> None:
        """Have Python read the numbers that the kernel could not round."""
        for at, start, stop in self._encoding.hard[: self._encoding.hard_rows[0]].tolist():
            value = np.array([float(buffer[start:stop].tobytes())])
            self._encoding.out[at : at + 8] = value.view(np.uint8)


def _at_home(
    rejects: Rejects,
    encoded: NDArray[np.uint8],
    starts: NDArray[np.int64],
    buffer: NDArray[np.uint8],
    spans: list[tuple[int, int]],
) -> Rejects:
    """The rejects at the bodies that they were in, told by the names of their metrics where that is all that is bad."""
    texts, homes = [], []
    for k, span in enumerate((np.searchsorted(starts, rejects.offset, side="right") - 1).tolist()):
        start, stop = spans[span]
        is_body = rejects.reason[k] == Reason.ENCODING
        beginning = buffer[start : min(stop, start + NAME_BYTES_MAX)].tobytes()
        texts.append(beginning if is_body else rejects.text(k, encoded, NAME_BYTES_MAX))
        homes.append((start, stop - start))
    home = np.array(homes, np.int64).reshape(-1, 2)
    return replace(rejects, offset=home[:, 0], length=home[:, 1].astype(np.int32), texts=tuple(texts))
