"""Tables of what is looked at on this host."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from tallystick.config.kinds import Kinded
from tallystick.config.table import Conflict, key, word

_LIMIT_S = 5
EVERYTHING = "*"
"""Stands for all collectors that find on this host what they look at."""


class Collector(Kinded, frozen=True, kw_only=True):
    """Something about this host that is looked at. A file without this table collects nothing by itself."""

    CHOSEN_BY: ClassVar[str] = "name"

    name: Annotated[str, key("Of the collector; '*' is all that find something to look at on this host.")]
    instance: Annotated[
        str, key("Stands behind the collector's name where it looks at several of one sort: nginx.blue.up.", word)
    ] = ""
    interval_s: Annotated[int, key("Seconds between two looks.", ge=1, le=3600)] = 10
    timeout_s: Annotated[
        int, key(f"A look that waits for others for longer has failed; 0 is the interval, {_LIMIT_S} at most.", ge=0)
    ] = 0
    collect: Annotated[bool, key("With false, this one is left out of '*'.")] = True

    @property
    def limit_s(self) -> int:
        """Seconds that a look may take."""
        return self.timeout_s or min(self.interval_s, _LIMIT_S)

    def conflicts(self) -> Iterator[Conflict]:
        if self.name == EVERYTHING and (self.instance or not self.collect):
            yield (), "it stands for many; expected neither an instance nor collect = false"
        if self.timeout_s > self.interval_s:
            yield ("timeout_s",), f"{self.timeout_s} s is longer than the interval; expected at most {self.interval_s}"
