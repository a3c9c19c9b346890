"""Division with gaps."""

import numpy as np

from tallystick.query.reduce import Values


def ratio(one: Values, other: Values | float) -> Values:
    """``one / other``; unknown where either is unknown or the divisor is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = np.divide(one, other)
    return np.where(np.asarray(other) == 0.0, np.nan, quotient)
