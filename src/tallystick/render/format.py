"""The registry of formats: each enters itself by the decorator line above it."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid
from tallystick.render.picture.drawing import Drawing


@dataclass(frozen=True, slots=True)
class Options:
    """How a reader wants it written.

    Parameters
    ----------
    pretty
        Indented, for people.
    jsonp
        Name of a JavaScript function to wrap JSON in.
    no_null_points
        Leave out slots without a value, and series without any.
    zone
        For formats that write the time of day.
    drawing
        How pictures are to look.
    """

    pretty: bool = False
    jsonp: str | None = None
    no_null_points: bool = False
    zone: tzinfo = UTC
    drawing: Drawing = field(default_factory=Drawing)


@dataclass(frozen=True, slots=True)
class Rendered:
    """Bytes and their media type; a large body may be an iterator of parts, made while they are sent."""

    body: bytes | Iterator[bytes]
    media_type: str


Renderer = Callable[[Sequence[Grid], Options], Rendered]

FORMATS: dict[str, Renderer] = {}
"""By Graphite's name; filled when `tallystick.render` is imported."""

_CALLBACK = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*", re.ASCII)


def renderer(name: str) -> Callable[[Renderer], Renderer]:
    """Enter the function below as the format `name`."""

    def enter(write: Renderer) -> Renderer:
        FORMATS[name] = write
        return write

    return enter


def render(name: str, grids: Sequence[Grid], options: Options) -> Rendered:
    """Series in the format `name`.

    Raises
    ------
    QueryError
        If there is no such format.
    """
    if name not in FORMATS:
        raise QueryError(f"cannot write format {name!r}: not supported; expected one of {', '.join(sorted(FORMATS))}")
    return FORMATS[name](grids, options)


def wrapped(body: bytes, jsonp: str | None) -> Rendered:
    """JSON, or a call of the function `jsonp` with it.

    Raises
    ------
    QueryError
        If `jsonp` is no name of a function: anything else would be a script of the asker's.
    """
    if jsonp is None:
        return Rendered(body, "application/json")
    if not _CALLBACK.fullmatch(jsonp):
        raise QueryError(f"cannot use jsonp {jsonp!r}: no name of a JavaScript function; expected one such as draw")
    return Rendered(b"%s(%s)" % (jsonp.encode(), body), "text/javascript")
