"""MessagePack, which newer clusters of graphite-web ask for instead of pickle."""

import struct
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.model.grid import Grid
from tallystick.render.described import described
from tallystick.render.format import Options, Rendered, renderer
from tallystick.render.marked import marked_numbers

_ARRAY = struct.Struct(">cI")


@renderer("msgpack")
def render_msgpack(grids: Sequence[Grid], options: Options) -> Rendered:
    """The same as pickle has; an unknown value is nil."""
    return Rendered(msgspec.msgpack.encode(list(described(grids, _array))), "application/x-msgpack")


def _array(values: NDArray[np.float64]) -> msgspec.Raw:
    return msgspec.Raw(_ARRAY.pack(b"\xdd", len(values)) + marked_numbers(values, b"\xcb", b"\xc0"))
