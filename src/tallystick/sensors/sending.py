"""`Sending`: the way of slots out of the process, and the names under which they leave."""

import logging

from tallystick.model.description import Description
from tallystick.model.kind import Kind
from tallystick.native.client import NativeClient
from tallystick.native.messages import Name, Slot
from tallystick.native.names import APP, APP_ON_HOST, Place
from tallystick.sensors.families import Member
from tallystick.sensors.instruments import Taken
from tallystick.sensors.settings import Settings

log = logging.getLogger(__name__)

BUFFER_BYTES_MAX = 4 << 20
"""Kept while nobody takes it: some minutes of a thousand series. More is dropped and counted."""
_AGENT_CHARS_MAX = 64
_JOIN_S = 0.5


class Sending:
    """Sends what the instruments of one process gathered; a forked child makes its own.

    Parameters
    ----------
    settings
        Where to, and under which names.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._client: NativeClient | None = None
        if settings.server is not None:
            self._client = NativeClient(
                settings.server,
                settings.place.app[:_AGENT_CHARS_MAX],
                buffer_bytes_max=BUFFER_BYTES_MAX,
                token=settings.token,
            )
            self._client.start()
        self._names: dict[Member, tuple[str, ...]] = {}
        self._described: dict[Member, Description] = {}

    @property
    def dropped(self) -> int:
        """Slots that found no room while nobody took them."""
        return self._client.counts.dropped if self._client is not None else 0

    def send(self, taken: list[tuple[Member, Taken]], at_ms: int) -> None:
        """Send what was taken of instruments; never waits."""
        if self._client is None:
            return
        slots = []
        for member, what in taken:
            names = self._names_of(member)
            self._describe(self._client, member, names)
            slots += [Slot(name, member.instrument.kind, at_ms, *what) for name in names]
        self._client.offer(slots)

    def wait(self, timeout_s: float) -> bool:
        """Wait until everything is safe where it was sent; False if that takes longer, or nobody is there."""
        return self._client is None or self._client.wait_acknowledged(timeout_s, only_if_reached=True)

    def close(self) -> None:
        """End; what was not answered is lost."""
        if self._client is not None:
            self._client.stop(drain_s=0.0, join_s=_JOIN_S)

    def abandon(self) -> None:
        """Let go of what belongs to the parent, in a forked child."""
        if self._client is not None:
            self._client.forget()

    def _names_of(self, member: Member) -> tuple[str, ...]:
        names = self._names.get(member)
        if names is None:
            names = self._names[member] = names_of(self.settings.place, member)
        return names

    def _describe(self, client: NativeClient, member: Member, names: tuple[str, ...]) -> None:
        said = member.family.description
        if self._described.get(member) != said and any(said):
            self._described[member] = said
            client.describe(Name(name, member.instrument.kind, *said) for name in names)


def names_of(place: Place, member: Member) -> tuple[str, ...]:
    """The names of a series: the cluster's and the host's, each of which merges what it gets; a level is a host's."""
    templates = (APP_ON_HOST,) if member.instrument.kind is Kind.GAUGE else (APP, APP_ON_HOST)
    return tuple(place.name(template, member.family.name) + member.tags for template in templates)
