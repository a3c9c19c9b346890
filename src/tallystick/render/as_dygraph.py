"""What the library dygraphs takes: a table with a row for each time, ``{"labels" : ["Time", "a"], "data" : [...]}``."""

from collections.abc import Sequence

import msgspec
import numpy as np

from tallystick.model.grid import Grid
from tallystick.query.table import Table
from tallystick.render.format import Options, Rendered, renderer, wrapped
from tallystick.render.json_numbers import shown


@renderer("dygraph")
def render_dygraph(grids: Sequence[Grid], options: Options) -> Rendered:
    """All series on one time line, times in milliseconds; where steps differ, on the least common multiple of them."""
    if not grids:
        return wrapped(b"{}", options.jsonp)
    table = Table.of_grids(grids)
    (values,) = table.columns.values()
    times = (table.start_s + table.step_s * np.arange(table.slots, dtype=np.int64)) * 1000
    columns = [times.tolist(), *(shown(row) for row in values)]
    body = b'{"labels" : %s, "data" : %s}' % (
        msgspec.json.encode(["Time", *(row.name for row in table.rows)]),
        msgspec.json.encode(list(zip(*columns, strict=True))),
    )
    return wrapped(body, options.jsonp)
