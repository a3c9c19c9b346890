"""`Meant`: what a protocol says of a metric beside its numbers, where it has words for it."""

from typing import NamedTuple


class Meant(NamedTuple):
    """What the numbers of a name mean.

    Parameters
    ----------
    name
        Of the series, without the tags that part them.
    unit
        As the protocol spells it; empty if it says none.
    description
        A sentence; empty if there is none.
    """

    name: str
    unit: str
    description: str
