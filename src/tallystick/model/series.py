"""What is known of series beside their numbers: by whoever reads a store, and by whoever asks a server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Series:
    """A series of a store.

    Parameters
    ----------
    name
        Its canonical name.
    tags
        Those of the name, always with ``name``.
    kind
        gauge, counter, timing, set or cumulative.
    retention
        Its resolutions, finest first: seconds of a slot, and seconds that it is kept.
    last_seen_s
        Epoch seconds of its newest slot; None if it has none.
    """

    name: str
    tags: dict[str, str]
    kind: str
    retention: tuple[tuple[int, int], ...]
    last_seen_s: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of time, and the finest resolution that some series can be read at in all of it.

    Parameters
    ----------
    start_s, until_s
        The stretch in epoch seconds, multiples of `step_s`.
    step_s
        Seconds that a slot lasts.
    keep_s
        So many seconds after its time a slot of this resolution is forgotten.
    """

    start_s: int
    until_s: int
    step_s: int
    keep_s: int
