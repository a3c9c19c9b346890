"""What StatsD goes on sending for keys that nothing comes for: zeros, or a gauge's last value."""

import numpy as np
from numpy.typing import NDArray


def fill_idle(
    values: NDArray[np.float64], zero: NDArray[np.bool_], start_s: int, step_s: int, now_s: float, idle_s: int
) -> None:
    """Fill, in place, the slots behind each known one for so long as StatsD would be asked to.

    Parameters
    ----------
    values : float64[n, m]
        NaN where nothing came.
    zero : bool[n]
        Rows that are zero while idle; in others the last value stays.
    start_s
        Of the first slot.
    now_s
        A slot that is not over yet is left alone.
    idle_s
        How long behind its last sample a key is still spoken of.
    """
    width = values.shape[1]
    over = min(max(int((now_s - start_s) // step_s), 0), width)
    part = values[:, :over]
    slots = np.arange(over)
    known = ~np.isnan(part)
    last = np.maximum.accumulate(np.where(known, slots, -1), axis=1)
    fill = ~known & (last >= 0) & ((slots - last) * step_s <= idle_s)
    rows, columns = np.nonzero(fill)
    part[rows, columns] = np.where(zero[rows], 0.0, part[rows, last[rows, columns]])
