"""Where functions find events, deploys among them: what a query needs of whoever keeps them."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class EventSource(Protocol):
    """Keeps what happened, when, and under which tags."""

    def moments(self, from_s: int, until_s: int, tags: Sequence[str]) -> NDArray[np.int64]:
        """Epoch seconds of the events from `from_s` up to before `until_s` that have all of `tags`, ascending.

        No tags means every event.
        """
        ...


class NoEvents:
    """An `EventSource` where nothing ever happens, for those who evaluate without one."""

    def moments(self, from_s: int, until_s: int, tags: Sequence[str]) -> NDArray[np.int64]:
        """See `EventSource.moments`."""
        return np.empty(0, np.int64)
