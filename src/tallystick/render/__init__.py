"""Render: grids as bytes for readers.

`render` writes series in one of `FORMATS`, `render_pie` slices in one of `PICTURES`; `Options` says how, and `Drawing`
how a picture is to look. To add a format: a file here with one decorated function, imported below.
"""

from tallystick.render import (
    as_arrow,
    as_csv,
    as_dygraph,
    as_json,
    as_msgpack,
    as_pickle,
    as_picture,
    as_raw,
    as_rickshaw,
)
from tallystick.render.as_picture import PICTURES, render_pie
from tallystick.render.format import FORMATS, Options, Rendered, render, wrapped
from tallystick.render.picture.drawing import Drawing
from tallystick.render.picture.slice import Slice

__all__ = [
    "FORMATS",
    "PICTURES",
    "Drawing",
    "Options",
    "Rendered",
    "Slice",
    "as_arrow",
    "as_csv",
    "as_dygraph",
    "as_json",
    "as_msgpack",
    "as_pickle",
    "as_picture",
    "as_raw",
    "as_rickshaw",
    "render",
    "render_pie",
    "wrapped",
]
