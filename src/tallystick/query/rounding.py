"""Rounding to decimals as Python's own `round` does it, for arrays."""

import numpy as np

from tallystick.query.reduce import Values

_SPLIT = 134_217_729.0  # 2**27 + 1: halves of a double that can be multiplied without an error
_EXACT_DIGITS = 22  # 10**22 is the last power of ten that is a double
_WHOLE = 2.0**52  # from here on doubles are farther apart than what is asked for


def rounded(values: Values, digits: int = 0) -> Values:
    """`values` rounded to so many decimals, halves to even.

    Notes
    -----
    ``np.round`` multiplies, and so makes 0.5 of what is a little less: 1.005 becomes 1.0, but 2.675 becomes 2.68. Here
    what the product lost decides where it seems to be a half. The lost part is Dekker's *A floating-point technique
    for extending the available precision* (1971).
    """
    if not 0 < digits <= _EXACT_DIGITS:
        return np.asarray(np.round(values, digits))
    scale = 10.0**digits
    with np.errstate(all="ignore"):
        product = values * scale
        nearest = np.rint(product)
        off = product - nearest
        if (np.abs(off) == 0.5).any():
            lost = _lost(values, scale, product)
            half = (np.abs(off) == 0.5) & (lost != 0)
            nearest = np.where(half, np.floor(product) + (lost > 0), nearest)
        return np.where(np.abs(product) < _WHOLE, nearest / scale, values)


def _lost(values: Values, scale: float, product: Values) -> Values:
    """What rounding took from ``values * scale``, exactly."""
    high = (carried := values * _SPLIT) - (carried - values)
    low = values - high
    scale_high = (carried_scale := scale * _SPLIT) - (carried_scale - scale)
    scale_low = scale - scale_high
    return np.asarray(((high * scale_high - product) + high * scale_low + low * scale_high) + low * scale_low)
