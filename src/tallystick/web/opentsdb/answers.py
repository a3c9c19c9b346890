"""Answers in OpenTSDB's shapes: its JSON of points, and its one shape of errors."""

from collections.abc import Iterator, Sequence
from functools import wraps
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from tallystick.events import Event
from tallystick.model.errors import QueryError, StoreError
from tallystick.query.opentsdb import Answer, Fill, tsuid_of
from tallystick.web.errors import BodyError, OverloadedError
from tallystick.web.opentsdb.bodies import Shown
from tallystick.web.reading import Endpoint

NOT_A_NUMBER = "NaN"
"""As OpenTSDB writes it in JSON, where a query asks for the fill policy nan."""


def json_answer(body: object, status: int = 200) -> Response:
    """A value as JSON."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def error_answer(status: int, message: str, details: str = "") -> Response:
    """The one shape of errors that OpenTSDB has."""
    error = {"code": status, "message": message} | ({"details": details} if details else {})
    response = json_answer({"error": error}, status)
    if status == 503:
        response.headers["retry-after"] = "1"
    return response


def told(endpoint: Endpoint) -> Endpoint:
    """The endpoint, which answers what goes wrong as OpenTSDB would."""

    @wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except BodyError as error:
            return error_answer(error.status, str(error))
        except QueryError as error:
            return error_answer(400, str(error))
        except (OverloadedError, StoreError) as error:
            return error_answer(503, str(error))

    return answered


def annotation(event: Event) -> dict[str, Any]:
    """An event as OpenTSDB's global annotation."""
    return {
        "tsuid": "",
        "description": event.what,
        "notes": event.data,
        "custom": {"tags": " ".join(event.tags)} if event.tags else {},
        "startTime": event.time_s,
        "endTime": 0,
    }


def encoded(answers: Sequence[Answer], shown: Shown, events: Sequence[Event], took_ms: float) -> bytes:
    """What ``/api/query`` answers.

    Parameters
    ----------
    events
        What is told as global annotations, with each answer, as OpenTSDB does.
    """
    notes = {"globalAnnotations": [annotation(one) for one in events]} if events else {}
    writer = _Points(shown)
    pieces = [msgspec.json.encode(_told(one, shown) | notes | {"dps": writer.dps(one)}) for one in answers]
    if shown.summary:
        points = sum(len(one.values) for one in answers)
        pieces.append(msgspec.json.encode({"statsSummary": {"emittedDPs": points, "totalTime": took_ms}}))
    return b"[%s]" % b",".join(pieces)


def _told(one: Answer, shown: Shown) -> dict[str, Any]:
    """All of an answer but its points."""
    found: dict[str, Any] = {
        "metric": one.query.metric,
        "tags": one.tags,
        "aggregateTags": one.aggregate_tags,
    }
    if shown.query:
        found["query"] = one.query.as_json()
    if shown.tsuids:
        found["tsuids"] = sorted(map(tsuid_of, one.names))
    if shown.stats:
        found["stats"] = {"queryIndex": one.query.index, "emittedDPs": len(one.values)}
    return found


class _Points:
    """Writes points; most answers of a request have the same moments, which are spelt once."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._times_ms = np.empty(0, np.int64)
        self._spelt: list[Any] = []

    def dps(self, one: Answer) -> object:
        """The points as an object by time, or as pairs."""
        down = one.query.downsampling
        values = list(_values(one.values, null=down is not None and down.fill is Fill.NULL))
        moments = self._moments(one.times_ms)
        return (
            list(zip(moments, values, strict=True)) if self._shown.arrays else dict(zip(moments, values, strict=True))
        )

    def _moments(self, times_ms: NDArray[np.int64]) -> list[Any]:
        if not np.array_equal(times_ms, self._times_ms):
            moments = (times_ms if self._shown.milliseconds else times_ms // 1000).tolist()
            self._times_ms, self._spelt = times_ms, moments if self._shown.arrays else list(map(str, moments))
        return self._spelt


def _values(values: NDArray[np.float64], *, null: bool) -> Iterator[object]:
    """Values as JSON has them: what is not finite becomes null, or, if it is NaN and a query wants that, a word."""
    if null or not np.isnan(values).any():
        return iter(values.tolist())  # the encoder writes null for what is not finite
    spelt = values.astype(object)
    spelt[np.isnan(values)] = NOT_A_NUMBER
    return iter(spelt.tolist())
