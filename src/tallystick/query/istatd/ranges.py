"""Which range and interval istatd answers where others were asked for: whole buckets, and not too many."""

from dataclasses import dataclass

WINDOW_S = 900
"""What is told where only a begin, only an end, or neither is asked for."""
_INTERVALS_S = (
    *(10, 20, 30, 60, 120, 300, 600, 900, 1200, 1800),
    *(3600 * hours for hours in (1, 2, 3, 4, 6, 8, 12, 24)),
)
"""Lengths of buckets that are joined of others; none is longer than a day."""
_FINEST_S = 10


@dataclass(frozen=True, slots=True)
class Window:
    """Buckets of `interval_s` seconds, the first of which begins at `start_s`, and the last ends at `end_s`."""

    start_s: int
    end_s: int
    interval_s: int


def asked_range(start_s: int, end_s: int, now_s: int) -> tuple[int, int]:
    """The range that is meant where 0 says that nothing was asked for."""
    if start_s and end_s:
        return start_s, end_s
    if start_s:
        return start_s, start_s + WINDOW_S
    end_s = end_s or now_s
    return end_s - WINDOW_S, end_s


def normalized(start_s: int, end_s: int, step_s: int, buckets_max: int) -> Window:
    """Whole buckets that hold a range, of `step_s` or of the first length that makes them few enough.

    Parameters
    ----------
    step_s
        Seconds of the slots that there are; 0 for istatd's finest.
    buckets_max
        Of 1 becomes one bucket, however long; 0 for no limit.
    """
    if buckets_max == 1:
        begin, end = _whole(start_s, end_s, max(end_s - start_s, step_s, 1))
        return Window(begin, end, end - begin)
    step_s = step_s or _FINEST_S
    begin, end = _whole(start_s, end_s, step_s)
    if not buckets_max or (end - begin) // step_s <= buckets_max:
        return Window(begin, end, step_s)
    lengths = [length for length in _INTERVALS_S if length > step_s and length % step_s == 0]
    if not lengths:
        lengths = [step_s * -(-(end - begin) // (step_s * buckets_max))]
    interval_s = next((length for length in lengths if (end - begin) // length <= buckets_max), lengths[-1])
    return Window(*_whole(begin, end, interval_s), interval_s)


def _whole(start_s: int, end_s: int, interval_s: int) -> tuple[int, int]:
    return start_s - start_s % interval_s, end_s + -end_s % interval_s
