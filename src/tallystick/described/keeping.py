"""`Keeping`: what senders say of series is written on a thread of its own, and forgotten with the series."""

import logging
import math
import threading
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from tallystick.described.descriptions import Descriptions
from tallystick.model.clock import Clock
from tallystick.model.description import Description
from tallystick.model.errors import StoreError
from tallystick.model.kind import Kind
from tallystick.native import Name
from tallystick.parse.meant import Meant
from tallystick.store.contract import Catalog

logger = logging.getLogger(__name__)

LOOK_INTERVAL_S = 3600.0
"""At least, between two looks which descriptions have no series left: each goes through all names."""
_GATHERING_S = 0.5
_AGAIN_S = 5.0

SeriesNames = Callable[[str, Kind | None], Iterable[str]]


def _as_sent(name: str, kind: Kind | None) -> Iterable[str]:
    return (name,)


class Keeping:
    """Takes what is said to a file soon; `start`, then `stop`.

    Parameters
    ----------
    descriptions
        Where it goes.
    catalog
        The names of all series.
    series_names
        The names of the series that a name becomes which is sent, of the kind if that is known.
    look_interval_s
        See `LOOK_INTERVAL_S`.
    """

    def __init__(
        self,
        descriptions: Descriptions,
        catalog: Catalog,
        clock: Clock,
        series_names: SeriesNames = _as_sent,
        look_interval_s: float = LOOK_INTERVAL_S,
    ) -> None:
        self._descriptions = descriptions
        self._catalog = catalog
        self._clock = clock
        self._series_names = series_names
        self._look_interval_s = look_interval_s
        self._told = threading.Condition()
        self._save_s = self._look_s = math.inf
        """When it is time for each, by the monotonic clock."""
        self._not_before_s = -math.inf
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="descriptions", daemon=True)

    def note(self, said: Iterable[tuple[str, Kind | None, Description]]) -> None:
        """Have what a sender says of some names kept soon; never waits for the disk."""
        news = [
            self._descriptions.say(name, description)
            for sent, kind, description in said
            for name in self._series_names(sent, kind)
        ]
        if any(news):
            self._plan(save_s=self._clock.monotonic() + _GATHERING_S)

    def note_names(self, names: Iterable[Name]) -> None:
        """The same, as the native protocol says it."""
        self.note(
            (one.name, one.kind, Description.said(one.unit, one.owner, one.description, one.alert)) for one in names
        )

    def note_meant(self, meant: Iterable[Meant]) -> None:
        """The same, of a protocol that knows units and descriptions only."""
        self.note((one.name, None, Description.said(one.unit, "", one.description, "")) for one in meant)

    def forget(self, series: NDArray[np.int32]) -> None:
        """Some series are gone; see `Store.when_forgotten`."""
        self._plan(look_s=max(self._clock.monotonic(), self._not_before_s))

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, if the disk takes it."""
        with self._told:
            self._stopping = True
            self._told.notify()
        if self._thread.is_alive():
            self._thread.join()
        self._save()

    def _plan(self, save_s: float = math.inf, look_s: float = math.inf) -> None:
        with self._told:
            if save_s < self._save_s or look_s < self._look_s:
                self._save_s, self._look_s = min(self._save_s, save_s), min(self._look_s, look_s)
                self._told.notify()

    def _run(self) -> None:
        while True:
            with self._told:
                while not self._stopping and (left_s := self._next_s() - self._clock.monotonic()) > 0:
                    self._told.wait(min(left_s, threading.TIMEOUT_MAX))
                if self._stopping:
                    return
                looking = self._look_s <= self._clock.monotonic()
                self._save_s = math.inf
                if looking:
                    self._look_s = math.inf
            if looking:
                self._look()
            if not self._save():
                self._plan(save_s=self._clock.monotonic() + _AGAIN_S)

    def _next_s(self) -> float:
        return min(self._save_s, self._look_s)

    def _look(self) -> None:
        """Forget what had no series at two looks: between them there is time for what is only about to come."""
        self._descriptions.forget_missing(self._catalog)
        self._not_before_s = self._clock.monotonic() + self._look_interval_s
        if self._descriptions.has_missing:
            self._plan(look_s=self._not_before_s)

    def _save(self) -> bool:
        try:
            self._descriptions.save()
        except StoreError as error:
            logger.warning("%s", error)
            return False
        return True
