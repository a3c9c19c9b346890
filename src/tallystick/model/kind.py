"""What a series counts, which decides how it is folded and which statistic is its value."""

from enum import IntEnum


class Kind(IntEnum):
    """The kind of a series, fixed when its name is first seen.

    The numbers are stored on disk: never renumber.
    """

    GAUGE = 0
    """A level: the last sample of a slot is its value, in coarser resolutions the average, or what a rule says."""
    COUNTER = 1
    """Increments: summed."""
    TIMING = 2
    """Samples of a distribution: averaged, and kept as a histogram."""
    SET = 3
    """Members: the number of different ones."""
    CUMULATIVE = 4
    """A counter that only grows: stored raw, made a rate when read."""
