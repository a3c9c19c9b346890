"""Tables of what is watched from outside: whether it answers, how fast, and why not."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from tallystick.config.kinds import Kinded
from tallystick.config.table import Conflict, key, word


class Check(Kinded, frozen=True, kw_only=True):
    """Something that has to answer: up or down, and why. The agent looks; None by default."""

    CHOSEN_BY: ClassVar[str] = "kind"

    name: Annotated[str, key("Of the check; its numbers are checks.<name>.up and so on.", word, min_length=1)]
    kind: Annotated[str, key("What is asked: http, tcp, dns, ping, process or file.")]
    interval_s: Annotated[int, key("Seconds between two looks.", ge=1, le=86400)] = 30
    timeout_s: Annotated[int, key("What has not answered by then is down.", ge=1, le=60)] = 5

    def conflicts(self) -> Iterator[Conflict]:
        if self.timeout_s > self.interval_s:
            yield ("timeout_s",), f"{self.timeout_s} s is longer than the interval; expected at most {self.interval_s}"
