"""What StatsD goes on sending for keys that nothing comes for: zeros, or a gauge's last value."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Before:
    """What was there before a range.

    Parameters
    ----------
    ago : float64[n]
        So many slots before the first one something came; infinite if nothing did.
    value : float64[n]
        The last of it.
    """

    ago: NDArray[np.float64]
    value: NDArray[np.float64]

    @classmethod
    def of(cls, last: NDArray[np.float64], slots: int) -> "Before":
        """From the last values of coarse slots, float64[n, m], of `slots` slots each; what is in one may have come at
        its end."""
        known = ~np.isnan(last)
        width = last.shape[1]
        behind = np.argmax(known[:, ::-1], axis=1)
        value = last[np.arange(len(last)), width - 1 - behind]
        return cls(np.where(known.any(axis=1), behind * slots + 1.0, np.inf), value)


def fill_idle(values: NDArray[np.float64], zero: NDArray[np.bool_], before: Before, over: int, slots_max: int) -> None:
    """Fill, in place, the slots behind each known one for so long as StatsD would be asked to.

    Parameters
    ----------
    values : float64[n, m]
        NaN where nothing came.
    zero : bool[n]
        Rows that are zero while idle; in others the last value stays.
    over
        In so many slots nothing more is to come; those behind them are left alone.
    slots_max
        For how many slots behind its last sample a key is still spoken of.
    """
    part = values[:, :over]
    slots = np.arange(over)
    known = ~np.isnan(part)
    last = np.maximum.accumulate(np.where(known, slots, -1), axis=1)
    since = np.where(last >= 0, slots - last, slots + before.ago[:, None])
    rows, columns = np.nonzero(~known & (since <= slots_max))
    place = last[rows, columns]
    values_then = np.where(place >= 0, part[rows, np.maximum(place, 0)], before.value[rows])
    part[rows, columns] = np.where(zero[rows], 0.0, values_then)
