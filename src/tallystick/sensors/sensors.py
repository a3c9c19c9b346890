"""`Sensors`: the instruments of a process, by name."""

import functools
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from tallystick.model.clock import Clock, SystemClock
from tallystick.model.description import Description
from tallystick.sensors.families import Families, Member
from tallystick.sensors.instruments import Counter, DistinctCount, Gauge, Instrument, Timing
from tallystick.sensors.instruments.counter import SampledCounter
from tallystick.sensors.instruments.timing import SampledTiming
from tallystick.sensors.life import WAIT_S, Life
from tallystick.sensors.program import app_of
from tallystick.sensors.settings import Settings, from_environment

log = logging.getLogger(__name__)

_KNOWN_MAX = 40_000
"""Words in which instruments were asked for; what is asked in others takes some microseconds."""
_PLAIN = frozenset((str, int, float, bool))
"""What labels are as a rule. Others may change what they say, and are too large to be kept."""

Made = TypeVar("Made", bound=Instrument[Any])
Said = ParamSpec("Said")


def _remembered(
    find: Callable[Concatenate["Sensors", str, Said], Made],
) -> Callable[Concatenate["Sensors", str, Said], Made]:
    """Have a method look an instrument up in one dictionary when it was asked for in the same words before.

    Programs do that on their hottest lines, and to match the words with the method's parameters would cost more than
    all the rest.
    """
    kind = find.__name__

    @functools.wraps(find)
    def look_up(self: "Sensors", name: str, /, *function: Said.args, **said: Said.kwargs) -> Made:
        words = (kind, name, *said.items())
        try:
            found = None if function else self._known.get(words)
        except TypeError:  # a label that has no hash
            return find(self, name, *function, **said)
        return found or self._ask(find, words, name, function, said)

    return look_up


class Sensors:
    """Instruments of one process. Safe to use from any thread, task, greenlet, signal handler and forked child.

    Nothing runs before the first sample is taken.

    Parameters
    ----------
    settings
        Asked at the first sample; by default what the environment says.
    clock
        Flushes keep to its beat, so that each slot of the server gets exactly one.
    """

    def __init__(self, settings: Callable[[], Settings] | None = None, clock: Clock | None = None) -> None:
        self._said: dict[str, str] = {}
        self._families = Families()
        self._known: dict[Any, Any] = {}
        self.life = Life(self._families, settings or self._of_this_process, clock or SystemClock())
        """When all of it begins, is flushed, and ends."""

    def configure(self, *, app: str = "", environment: str = "", version: str = "", server: str = "") -> None:
        """Say in the program what is otherwise read from its environment; before the first sample.

        Parameters
        ----------
        app, environment, version
            Of the program; parts of all names.
        server
            ``tcp://host:port``, ``tls://host:port`` or ``unix:///path``; ``none`` to send nothing.

        Raises
        ------
        ValueError
            If `server` is no such address.
        """
        said = {"app": app, "environment": environment, "version": version, "server": server}
        said = {key: value for key, value in said.items() if value}
        from_environment({}, "", **said)
        self._said |= said

    @_remembered
    def counter(
        self,
        name: str,
        /,
        *,
        unit: str = "",
        owner: str = "",
        description: str = "",
        alert: str = "",
        collect: bool | None = None,
        sample: float = 1.0,
        **labels: object,
    ) -> Counter:
        """The counter of that name and labels, made when it is first asked for.

        >>> orders = sensors.counter("orders", unit="orders", owner="team-x")
        >>> orders.increment()
        >>> sensors.counter("orders", country="se").increment(3)

        Parameters
        ----------
        unit, owner, description, alert
            Shown where the metric is; may be said once, anywhere.
        collect
            False keeps it in the process until ``TALLYSTICK_COLLECT`` asks for it.
        sample
            Share of the increments that is looked at, as it is said first; readers see no difference.
        labels
            Told apart as tags: ``view="home"``. What has more than a thousand of them counts as ``other``.

        Raises
        ------
        TallystickError
            If the name is none or another instrument's, or a label cannot be one.
        ValueError
            If `sample` is no share.
        """
        said = Description(unit, owner, description, alert)
        return self._find(Counter, name, labels, said, collect, _sampled(SampledCounter, sample))

    @_remembered
    def timing(
        self,
        name: str,
        /,
        *,
        unit: str = "",
        owner: str = "",
        description: str = "",
        alert: str = "",
        collect: bool | None = None,
        sample: float = 1.0,
        **labels: object,
    ) -> Timing:
        """The timing of that name and labels: a context manager and a decorator; in seconds.

        >>> with sensors.timing("render", view="home"):
        ...     page = "..."
        >>> @sensors.timing("lookup")
        ... async def lookup(key): ...
        >>> sensors.timing("queued").observe(0.25)

        What its parameters mean is said at `counter`.
        """
        said = Description(unit or "s", owner, description, alert)
        return self._find(Timing, name, labels, said, collect, _sampled(SampledTiming, sample))

    @_remembered
    def gauge(
        self,
        name: str,
        function: Callable[[], float | None] | None = None,
        /,
        *,
        unit: str = "",
        owner: str = "",
        description: str = "",
        alert: str = "",
        collect: bool | None = None,
        **labels: object,
    ) -> Gauge:
        """The gauge of that name and labels: a level, which is set, changed, or told by a function at each flush.

        >>> sensors.gauge("queue.length", unit="jobs").set(3)
        >>> sensors.gauge("queue.length").change(-1)
        >>> sensors.gauge("cache.entries", lambda: len(cache))

        What its other parameters mean is said at `counter`.
        """
        found = self._find(Gauge, name, labels, Description(unit, owner, description, alert), collect)
        if function is not None:
            found.ask(function)
        return found

    @_remembered
    def distinct(
        self,
        name: str,
        /,
        *,
        unit: str = "",
        owner: str = "",
        description: str = "",
        alert: str = "",
        collect: bool | None = None,
        **labels: object,
    ) -> DistinctCount:
        """The distinct count of that name and labels: how many different ones there were.

        >>> sensors.distinct("users", country="se").add("ada")

        What its parameters mean is said at `counter`.
        """
        return self._find(DistinctCount, name, labels, Description(unit, owner, description, alert), collect)

    def flush(self, timeout_s: float = WAIT_S) -> bool:
        """Send what has gathered, and wait until it is safe; False if that takes longer, or nobody is there.

        Needed only by what ends without notice, as by ``os._exit``.
        """
        return self.life.flush(timeout_s)

    def close(self) -> None:
        """Flush for the last time and end the threads; what is counted afterwards stays in the process."""
        self.life.close()

    @property
    def members(self) -> list[Member]:
        """All series there are."""
        return list(self._families)

    @property
    def refused(self) -> int:
        """How often an instrument was asked for that there was no room for."""
        return self._families.refused

    @property
    def dropped(self) -> int:
        """Slots that found no room while nobody took them."""
        return self.life.sending.dropped if self.life.sending is not None else 0

    def _ask(
        self,
        find: Callable[..., Made],
        words: tuple[Any, ...],
        name: str,
        function: tuple[Any, ...],
        said: dict[str, Any],
    ) -> Made:
        """Ask a method for an instrument, and remember what it found; not what stands in for one that was refused."""
        values = said.values()
        exactly = (*words, *map(type, values))  # to a dictionary True is 1
        found: Made | None = None if function else self._known.get(exactly)
        if found is None:
            refused = self.refused
            found = find(self, name, *function, **said)
            if self.refused == refused and len(self._known) < _KNOWN_MAX and _PLAIN.issuperset(map(type, values)):
                self._known[words if all(value not in (0, 1) for value in values) else exactly] = found
        return found

    def _find(
        self,
        kind: type[Made],
        name: str,
        labels: dict[str, object],
        said: Description,
        collect: bool | None,
        make: Callable[[Callable[[], None]], Made] | None = None,
    ) -> Made:
        self.life.heed_the_end()  # the first sample may be a thread's
        made = functools.partial(make or kind, self.life.wake)
        return self._families.find(kind, name, labels, made, said, collect)

    def _of_this_process(self) -> Settings:
        program = app_of(sys.argv or [""])
        try:
            return from_environment(os.environ, program, **self._said)
        except ValueError as error:
            log.warning("cannot send the numbers of this process: %s", error)
            nowhere = {"TALLYSTICK_AGENT": "none", "TALLYSTICK_STATSD": "none"}
            return from_environment({**os.environ, **nowhere}, program, **self._said)


def _sampled(
    kind: Callable[[Callable[[], None], float], Made], sample: float
) -> Callable[[Callable[[], None]], Made] | None:
    """How an instrument of that sampling is made; None for all instruments that look at everything."""
    if not 0 < sample <= 1:
        raise ValueError(f"cannot sample {sample}: expected a share above 0 and at most 1")
    return None if sample == 1 else lambda wake: kind(wake, float(sample))
