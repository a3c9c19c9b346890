"""`Neighbour`: what the agent of the server's own host tells, so that the server need not look at it as well."""

import threading
from typing import Protocol
from weakref import WeakSet


class Greeted(Protocol):
    """A connection that lives as long as somebody holds it; `agent` is by which name its sender greeted."""

    agent: str

    def names(self) -> list[str]:
        """The names that were said on it."""
        ...


class Neighbour:
    """Which names the agent of a host tells, as long as it is connected.

    Without it a server and an agent on one machine, each with its default settings, would count each look at the host
    twice.

    Parameters
    ----------
    agent
        By which name that agent greets.
    """

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._lock = threading.Lock()
        self._met: WeakSet[Greeted] = WeakSet()

    def meet(self, connection: Greeted) -> None:
        """Note a connection whose sender greeted; others than the agent's are passed over."""
        with self._lock:
            if connection.agent == self._agent:
                self._met.add(connection)
            else:
                self._met.discard(connection)

    def told(self) -> set[str]:
        """The names that it tells now."""
        with self._lock:
            met = list(self._met)
        return {name for connection in met for name in connection.names()}
