"""Room on mounted filesystems: ``filesystem.root.used``, ``free``, ``used_percent``, ``inodes_used_percent``."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from tallystick.agent.point import Point
from tallystick.agent.registry import collector
from tallystick.native.names import component

# Images that are always full, and layers that show the room of the filesystem below them.
_LEFT_OUT = {"squashfs", "iso9660", "overlay", "fuse.snapfuse"}


@collector("filesystem")
class Filesystem:
    """Filesystems on devices of this machine, each once, and always ``/``.

    Network filesystems are left out: looking at one whose server is away would hold up all others.
    """

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        failure: OSError | None = None
        for name, mount in _named(self._mounts()).items():
            try:
                yield from self._room(name, mount)
            except OSError as error:  # told once the others have been looked at
                failure = error
        if failure is not None:
            raise failure

    def _mounts(self) -> list[str]:
        by_device: dict[str, str] = {}
        for part in sorted(psutil.disk_partitions(all=False), key=lambda part: len(part.mountpoint)):
            # A device that is mounted twice (bind mounts) counts by its shortest path; containers bind single files.
            if part.fstype not in _LEFT_OUT and Path(part.mountpoint).is_dir():
                by_device.setdefault(part.device, part.mountpoint)
        return sorted({"/", *by_device.values()})

    def _room(self, name: str, mount: str) -> Iterator[Point]:
        usage = psutil.disk_usage(mount)
        inodes = os.statvfs(mount)
        prefix = f"filesystem.{name}"
        yield Point(f"{prefix}.used", float(usage.used))
        yield Point(f"{prefix}.free", float(usage.free))
        yield Point(f"{prefix}.used_percent", usage.percent)
        if inodes.f_files:
            used_percent = 100 * (inodes.f_files - inodes.f_ffree) / inodes.f_files
            yield Point(f"{prefix}.inodes_used_percent", round(used_percent, 3))


def _named(mounts: list[str]) -> dict[str, str]:
    """Mounts by their component of the name; where two have the same (``/`` and ``/root``), the later is numbered."""
    named: dict[str, str] = {}
    for mount in mounts:
        name = component(mount)
        same = sum(component(other) == name for other in named.values())
        named[f"{name}_{same + 1}" if same else name] = mount
    return named
