"""``[limits]``: what one sender, or one mistake, may do to the others."""

from typing import Annotated

from tallystick.config.table import Table, key


class Limits(Table, frozen=True):
    """What a sender may do to the others: each host has limits of its own, whatever it sends by."""

    names_per_s: Annotated[
        int, key("New names a second that a host may go on bringing, others are throttled; 0 for no limit.", ge=0)
    ] = 20_000
    names_burst: Annotated[
        int, key("New names that it may bring at once: those of a whole fleet, but not half of store.series_max.", ge=1)
    ] = 600_000
    samples_per_s: Annotated[
        int, key("Samples a second that a host may go on sending, 20 seconds' worth at once; 0 for no limit.", ge=0)
    ] = 0
    series_per_prefix: Annotated[
        int, key("Series whose names begin alike that there may be, new ones are refused; 0 for no limit.", ge=0)
    ] = 0
    prefix_depth: Annotated[
        int, key("Components that beginnings of names have, as those of ledger.prefix_depth.", ge=1, le=8)
    ] = 2
