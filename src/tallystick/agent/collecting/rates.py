"""Counters of the kernel to rates per second."""

from collections.abc import Mapping


class Rates:
    """Remembers the counters of one look, and makes rates of the difference at the next."""

    def __init__(self) -> None:
        self._time_s: float | None = None
        self._before: Mapping[str, Mapping[str, float]] = {}

    def since_last(self, now: Mapping[str, Mapping[str, float]], monotonic_s: float) -> dict[str, dict[str, float]]:
        """Growth per second of each counter of each thing (device, interface) since the last call.

        Parameters
        ----------
        now
            Counters by thing and by name.
        monotonic_s
            When they were read.

        Returns
        -------
        dict
            Shaped like `now`. Things that were not there before are left out, and so are those of which a counter ran
            backwards: it was reset, and what it counted in between is not known.
        """
        elapsed_s = 0.0 if self._time_s is None else monotonic_s - self._time_s
        before, self._before, self._time_s = self._before, now, monotonic_s
        if elapsed_s <= 0:
            return {}
        rates = {}
        for thing, counters in now.items():
            if thing not in before:
                continue
            grown = {name: value - before[thing].get(name, value) for name, value in counters.items()}
            if min(grown.values()) >= 0:
                rates[thing] = {name: round(growth / elapsed_s, 3) for name, growth in grown.items()}
        return rates
