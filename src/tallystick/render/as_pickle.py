"""Pickle, as graphite-web asks for it in its clusters: a list with a dictionary for each series."""

from collections.abc import Sequence

from tallystick.model.grid import Grid
from tallystick.render.described import described
from tallystick.render.format import Options, Rendered, renderer
from tallystick.render.pickled import pickled


@renderer("pickle")
def render_pickle(grids: Sequence[Grid], options: Options) -> Rendered:
    """An unknown value is None."""
    return Rendered(pickled(list(described(grids, lambda values: values))), "application/pickle")
