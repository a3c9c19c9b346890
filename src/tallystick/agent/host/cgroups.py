"""Control groups of version 2: what each service and container uses, as the kernel counts it."""

import os
from collections.abc import Iterator

from tallystick.agent.collecting.tells import Told
from tallystick.agent.host.host import Host
from tallystick.agent.host.tables import counts

METRICS = (
    Told("memory_bytes", "bytes", "Memory, with files that are kept for it"),
    Told("memory_max_bytes", "bytes", "Memory that it may have; none without a limit"),
    Told("tasks", "tasks", "Processes and threads"),
    Told("cpu_percent", "percent", "Processor time, of one core"),
    Told("cpu_throttled_percent", "percent", "Time in which it wanted to run and had used up its share"),
    Told("read_bytes", "bytes/s", "Bytes read from disks"),
    Told("written_bytes", "bytes/s", "Bytes written to disks"),
    Told("oom_kills", "1/s", "Processes that the kernel ended for want of memory"),
)
ROOTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
DEPTH_MAX = 6


def told_of(group: str) -> Iterator[Told]:
    """What is told of each group, which is called `group` in names."""
    return (one._replace(name=f"{group}.{one.name}") for one in METRICS)


def root_of(host: Host) -> str | None:
    """Where the tree is mounted; None where there is no version 2, or it counts nothing (version 1 does)."""
    for root in ROOTS:
        if "memory" in (host.text_or_none(f"{root}/cgroup.controllers") or "").split():
            return root
    return None


def groups(host: Host, root: str) -> Iterator[str]:
    """Paths of all groups below the root, without it."""
    yield from _below(host.path(root), "", DEPTH_MAX)


def _below(root: str, path: str, depth: int) -> Iterator[str]:
    try:
        with os.scandir(f"{root}/{path}") as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:  # it ended meanwhile
        return
    for name in names:
        below = f"{path}/{name}" if path else name
        yield below
        if depth > 1:
            yield from _below(root, below, depth - 1)


def levels(host: Host, place: str) -> dict[str, float]:
    """What a group has now: ``memory_bytes``, its limit in ``memory_max_bytes`` if there is one, ``tasks``."""
    told = {}
    for name, file in (
        ("memory_bytes", "memory.current"),
        ("memory_max_bytes", "memory.max"),
        ("tasks", "pids.current"),
    ):
        text = (host.text_or_none(f"{place}/{file}") or "").strip()
        if text.isdigit():
            told[name] = float(text)
    return told


def totals(host: Host, place: str) -> dict[str, float]:
    """What a group used since it began: processors in percent-seconds, bytes, throttled seconds, processes killed."""
    told = {}
    cpu = counts(host.text_or_none(f"{place}/cpu.stat") or "")
    if "usage_usec" in cpu:
        told["cpu_percent"] = cpu["usage_usec"] / 10_000
        told["cpu_throttled_percent"] = cpu.get("throttled_usec", 0) / 10_000
    if (events := host.text_or_none(f"{place}/memory.events")) is not None:
        told["oom_kills"] = float(counts(events).get("oom_kill", 0))
    if (io := host.text_or_none(f"{place}/io.stat")) is not None:
        words = [word.partition("=") for word in io.split() if "=" in word]
        for name, of in (("read_bytes", "rbytes"), ("written_bytes", "wbytes")):
            told[name] = float(sum(int(number) for key, _, number in words if key == of))
    return told
