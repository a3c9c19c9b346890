"""OpenTSDB's data points as JSON, the body of ``POST /api/put``: one object, or a list of them.

::

    {"metric": "sys.cpu.nice", "timestamp": 1346846400, "value": 18, "tags": {"host": "web01", "dc": "lga"}}

- **Names.** The tags become part of the name, ``sys.cpu.nice;dc=lga;host=web01``; what a name cannot hold becomes
  ``_``. Numbers and booleans in the place of strings are taken as they are written.
- **Timestamps.** Above 2**32 - 1 milliseconds, else seconds, with a fraction if need be; also in quotes.
- **Values.** Numbers, also in quotes.
- **Counting.** Each object is one sample, and is accepted or rejected by itself; other members of it are passed over. A
  body that is no JSON in UTF-8, has something else than objects in its list, or is nested deeper than `DEPTH_MAX`,
  counts as one, ``encoding``, and nothing of it is stored. So does one of which Python would have to read too much,
  since others wait meanwhile: backslashes, other members or values of other types in some 10,000 points.

Where this differs from OpenTSDB: names may hold any character that Graphite's can, there may be any number of tags or
none, and what is given twice counts as it is given last.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import rows as at
from tallystick.kernels.names import NameTable
from tallystick.kernels.opentsdb_json import BROKEN, UNUSUAL, Json, parse_points
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason
from tallystick.parse.contract import LINE_BYTES_MAX
from tallystick.parse.messages import MessageParser
from tallystick.parse.registry import protocol

_SECONDS_MAX = 0xFFFF_FFFF
_MS_MAX = 9_000_000_000_000_000
_TIME = re.compile(r"([0-9]{1,16})(?:\.([0-9]+))?")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_UNFIT = re.compile(r"[\x00-\x20\x7f;\ud800-\udfff]")
_UNFIT_KEY = re.compile(r"[\x00-\x20\x7f;=\ud800-\udfff]")

_UNUSUAL_COST_MAX = 4 << 20
"""Bytes of unusual points in a message, each of which counts as a few hundred more: a fifth of a second."""
_UNUSUAL_COST = 400

Sample = tuple[bytes, int, float]
"""Name, milliseconds and value."""


@protocol("opentsdb-json")
class OpenTsdbJsonParser(MessageParser):
    """OpenTSDB's points as JSON; every sample is a gauge of weight 1."""

    sample_bytes_min = 38
    plain = True

    def __init__(self, line_bytes_max: int = LINE_BYTES_MAX) -> None:
        super().__init__(line_bytes_max)
        self._json = Json(
            phase=np.zeros(1, np.int64),
            place=np.zeros(2, np.int64),
            bounds=np.zeros(8, np.int64),
            undo=np.zeros(3 + len(Reason), np.int64),
        )
        self._unusual_cost = 0

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        if self._rows.progress[at.SPAN] == 0 and self._rows.progress[at.POSITION] < 0:
            self._unusual_cost = 0
        while True:
            state = parse_points(buffer, starts, sizes, names.arrays, self._rows, self._json)
            if state != UNUSUAL:
                return state
            start, stop = self._json.place.tolist()
            self._unusual_cost += stop - start + _UNUSUAL_COST
            if self._unusual_cost > _UNUSUAL_COST_MAX:
                self._json.phase[0] = BROKEN
            else:
                self._take_unusual(buffer[start:stop].tobytes(), start, names)

    def _take_unusual(self, text: bytes, start: int, names: NameTable) -> None:
        """Take a point that the kernel left to us, in its place among the others."""
        try:
            point = dict(_DECODER.decode(text.decode()))
        except ValueError:
            self._json.phase[0] = BROKEN
            return
        sample = _sample(point)
        rows = self._rows
        rows.progress[at.SEEN] += 1
        if isinstance(sample, Reason):
            self._note(sample, start, len(text))
            return
        name, ms, value = sample
        entry = int(names.intern_many([name])[0])
        if entry < 0:
            self._note(Reason.SERIES_LIMIT, start, len(text))
            return
        row = rows.progress[at.ROWS]
        rows.ids[row], rows.timestamp[row], rows.value.view(np.float64)[row] = entry, ms, value
        rows.progress[at.ROWS] += 1


def _sample(point: Mapping[str, object]) -> Sample | Reason:
    """The sample of a point, or the first reason why there is none."""
    metric = _text(point.get("metric"))
    if not metric:
        return Reason.NAME_EMPTY
    ms = _milliseconds(_text(point.get("timestamp")))
    if ms == 0:
        return Reason.TIMESTAMP
    number = _text(point.get("value"))
    if _NUMBER.fullmatch(number) is None:
        return Reason.VALUE_NOT_FINITE if _NOT_FINITE.fullmatch(number) else Reason.VALUE
    tags = point.get("tags")
    tags = () if tags is None else tags
    if not isinstance(tags, tuple) or not all(key and _text(value) for key, value in tags):
        return Reason.TAG
    parts = [_UNFIT.sub("_", metric), *(f"{_UNFIT_KEY.sub('_', k)}={_UNFIT.sub('_', _text(v))}" for k, v in tags)]
    name = ";".join(parts).encode()
    if len(name) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    value = float(number)
    return (name, ms, value) if math.isfinite(value) else Reason.VALUE_NOT_FINITE


def _text(value: object) -> str:
    """A string, or a number or boolean as it is written; nothing for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else ""


def _milliseconds(text: str) -> int:
    """See `tallystick.kernels.opentsdb_json`; 0 for what is no time."""
    match = _TIME.fullmatch(text)
    if match is None:
        return 0
    count = int(match[1])
    ms = count * 1000 + int((match[2] or "")[:3].ljust(3, "0")) if count <= _SECONDS_MAX else count
    return ms if ms <= _MS_MAX else 0


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


# Objects as pairs, for a tag may be there twice; numbers as they are written.
_DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=str, parse_float=str, parse_constant=_refuse)
