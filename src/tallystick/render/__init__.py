"""Render: grids as bytes for readers.

`render` writes series in one of `FORMATS`; `Options` says how. To add a format: a file here with one decorated
function, imported below.
"""

from tallystick.render import as_arrow, as_csv, as_json, as_raw
from tallystick.render.format import FORMATS, Options, Rendered, render, wrapped

__all__ = ["FORMATS", "Options", "Rendered", "as_arrow", "as_csv", "as_json", "as_raw", "render", "wrapped"]
