"""What the kernel tells of each process, in ``/proc/<pid>/stat``."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from tallystick.agent.host.host import Host

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Status:
    """A process at one moment.

    Parameters
    ----------
    pid
        Its number.
    name
        The kernel's word for it, at most 15 characters.
    state
        One letter, as of ``ps``.
    cpu_s
        Seconds of processors that it has used.
    threads
        How many it has.
    started
        When it was started; with `pid` this tells it from all others.
    resident_bytes
        Memory that it has.
    """

    pid: int
    name: str
    state: str
    cpu_s: float
    threads: int
    started: int
    resident_bytes: int


def statuses(host: Host) -> Iterator[Status]:
    """All processes that can be seen; those that end meanwhile are left out."""
    for entry in host.names("/proc"):
        if entry.isdigit() and (text := host.text_or_none(f"/proc/{entry}/stat")):
            yield status_of(text)


def status_of(text: str) -> Status:
    """A process from the text of its file, see proc(5). Its name may hold anything, parentheses and spaces too."""
    begin, end = text.index("("), text.rindex(")")
    told = text[end + 2 :].split()
    return Status(
        int(text[:begin]),
        text[begin + 1 : end],
        told[0],
        (int(told[11]) + int(told[12])) / _TICKS_PER_S,
        int(told[17]),
        int(told[19]),
        int(told[21]) * _PAGE_BYTES,
    )
