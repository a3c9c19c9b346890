"""What routes that read share: the store and its limits, and parameters from the address or a form."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from tallystick.described import Descriptions
from tallystick.events import EventStore
from tallystick.model.clock import Clock
from tallystick.model.errors import QueryError
from tallystick.query import QueryLimits, parse_time, time_zone
from tallystick.query import Request as Reading
from tallystick.render import Rendered, wrapped
from tallystick.store.contract import StoreReader
from tallystick.web.errors import BodyError
from tallystick.web.workers import Workers

Endpoint = Callable[[Request], Awaitable[Response]]

NOT_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for a body that is no such JSON; the last where it is nested deeper than Python goes."""
FORM_BYTES_MAX = 1 << 20
_FIELDS_MAX = 2000


def slashed(path: str, endpoint: Endpoint, *methods: str) -> list[BaseRoute]:
    """A route with and without a slash at its end, for GET and `methods`."""
    return [Route(form, endpoint, methods=["GET", *methods]) for form in (path, f"{path}/")]


@dataclass(frozen=True, slots=True)
class Reads:
    """What all that is read over HTTP shares.

    Parameters
    ----------
    store
        What queries read: the store, or a view before it.
    limits
        Of one request.
    workers
        Threads for all requests together.
    events
        What happened beside the numbers.
    descriptions
        What is known of series beside their numbers.
    """

    store: StoreReader
    limits: QueryLimits
    clock: Clock
    workers: Workers
    events: EventStore
    descriptions: Descriptions


class Parameters:
    """Fields of the address, and of a form in the body, which win."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self._fields = fields

    def all(self, name: str) -> list[str]:
        """Every value of a field, also under ``name[]``."""
        return [*self._fields.get(name, ()), *self._fields.get(f"{name}[]", ())]

    def names(self) -> list[str]:
        """The names of all fields."""
        return list(self._fields)

    def has(self, name: str) -> bool:
        """Whether a field is there, whatever it says."""
        return name in self._fields

    def one(self, name: str, default: str = "") -> str:
        """The last value of a field, or `default`."""
        values = self._fields.get(name, ())
        return values[-1] if values else default

    def flag(self, name: str) -> bool:
        """Whether a field is there and says neither 0, false nor nothing."""
        return self.one(name).lower() not in ("", "0", "false")

    def whole(self, name: str) -> int | None:
        """A whole number above 0, or None if the field is not there or empty.

        Raises
        ------
        QueryError
            If it is no such number.
        """
        text = self.one(name)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
            raise QueryError(f"cannot use {name}={text!r}: expected a whole number above 0")
        return int(text)

    def mapping(self, prefix: str) -> dict[str, str]:
        """The fields ``prefix[key]`` by key."""
        begin, keys = f"{prefix}[", [key for key in self._fields if key.startswith(f"{prefix}[") and key.endswith("]")]
        return {key[len(begin) : -1]: self.one(key) for key in keys}


async def parameters(request: Request) -> Parameters:
    """The parameters of a request.

    Raises
    ------
    QueryError
        If the form is too large or has too many fields.
    """
    fields: dict[str, list[str]] = {}
    for key, value in request.query_params.multi_items():
        fields.setdefault(key, []).append(value)
    if request.method == "POST" and "json" not in request.headers.get("content-type", ""):
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > FORM_BYTES_MAX:
                raise QueryError(f"cannot read the form: more than {FORM_BYTES_MAX} bytes; expected fewer")
        form: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
        except ValueError as error:
            raise QueryError(
                f"cannot read the form: {error}; expected fields in UTF-8, at most {_FIELDS_MAX}"
            ) from error
        for key, value in pairs:
            form.setdefault(key, []).append(value)
        fields |= form
    return Parameters(fields)


def reading(given: Parameters, now_s: int, from_default: str, slots_field: str) -> Reading:
    """The range, zone and resolution that a request asks for.

    Raises
    ------
    QueryError
        If a field cannot be read or the range is empty.
    """
    zone = time_zone(given.one("tz"))
    if given.one("now"):
        now_s = min(parse_time(given.one("now"), now_s, zone), now_s)
    from_s = parse_time(given.one("from") or from_default, now_s, zone)
    until_s = parse_time(given.one("until") or "now", now_s, zone)
    if from_s == until_s:
        raise QueryError(f"cannot read from {from_s} until {until_s}: invalid empty time range; expected a longer one")
    share = given.one("xFilesFactor") or "0"
    try:
        x_files_factor = float(share)
    except ValueError as error:
        raise QueryError(f"cannot use xFilesFactor={share!r}: expected a number from 0 to 1") from error
    return Reading(
        min(from_s, until_s),
        max(from_s, until_s),
        now_s,
        zone,
        given.whole(slots_field),
        x_files_factor,
        given.mapping("template"),
    )


async def body_of(request: Request, bytes_max: int) -> bytearray:
    """The body of a request.

    Raises
    ------
    BodyError
        If it is larger.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            raise BodyError(413, f"cannot take a body of more than {bytes_max} bytes; expected a smaller one")
    return body


def answered(rendered: Rendered) -> Response:
    """What a format gives, as an answer."""
    if isinstance(rendered.body, bytes):
        return Response(rendered.body, media_type=rendered.media_type)
    return StreamingResponse(rendered.body, media_type=rendered.media_type)


def as_json(value: object, given: Parameters) -> Response:
    """A value as JSON, indented or wrapped as the request asks."""
    body = msgspec.json.encode(value)
    if given.flag("pretty"):
        body = msgspec.json.format(body, indent=2)
    return answered(wrapped(body, given.one("jsonp") or None))
