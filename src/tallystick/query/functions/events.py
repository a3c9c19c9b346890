import numpy as np

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid, Row
from tallystick.query.context import Context
from tallystick.query.registry import function
from tallystick.query.series import SeriesList

_EVERY = "*"


@function("events", group="Special")
def events(context: Context, *tags: str) -> SeriesList:
    """How many events with all of these tags there were in each second; ``"*"`` stands for every event.

    Seconds without one are unknown. Where there are more seconds than pixels, they are added up.
    """
    if not tags:
        raise QueryError("cannot call events: there is no tag; expected one or more, or '*' for every event")
    seconds = max(0, context.until_s - context.from_s)
    context.session.charge(1, seconds)
    wanted = () if tags == (_EVERY,) else tags
    moments = context.session.events.moments(context.from_s, context.until_s, wanted)
    counts = np.bincount(moments - context.from_s, minlength=seconds).astype(np.float64)
    name = f"events({', '.join(_quoted(tag) for tag in tags)})"
    row = Row(name, name, {"name": name}, consolidation="sum")
    return SeriesList((Grid(np.where(counts > 0, counts, np.nan)[np.newaxis], (row,), context.from_s, 1),))


def _quoted(tag: str) -> str:
    return f'"{tag}"'
