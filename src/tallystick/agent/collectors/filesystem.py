"""Room on mounted filesystems: ``filesystem.root.used``, ``free``, ``used_percent``, ``inodes_used_percent``.

``read_only`` is 1 where nothing can be written. ``used_percent`` is of what is not kept for root, as ``df`` has it.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tallystick.agent.collecting.collector import HostCollector
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.model.point import Point
from tallystick.native.names import component

# Images that are always full, and layers that show the room of the filesystem below them.
_LEFT_OUT = {"squashfs", "iso9660", "udf", "overlay", "fuse.snapfuse", "erofs"}
_WITHOUT_DEVICE = {"zfs"}
"""Keep their data on devices of this machine though the kernel says that they need none."""


METRICS = (
    Told("<mount>.used", "bytes", "Room that is used"),
    Told("<mount>.free", "bytes", "Room that is left, without what is kept for root"),
    Told("<mount>.used_percent", "percent", "Used room, of what is not kept for root"),
    Told("<mount>.inodes_used_percent", "percent", "Files that there are, of those that there can be"),
    Told("<mount>.read_only", "1", "1 if nothing can be written, else 0"),
)


@collector("filesystem")
class Filesystem(HostCollector):
    """Filesystems on devices of this machine, each once, and always ``/``.

    Network filesystems are left out: one whose server is away hangs whoever looks at it. A broken disk can do so, too;
    therefore a look has a thread of its own.
    """

    TELLS = METRICS

    WAITS = True

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        failure: OSError | None = None
        for name, mount in named(self.mounts()).items():
            try:
                yield from self._room(name, mount)
            except OSError as error:  # told once the others have been looked at
                failure = error
        if failure is not None:
            raise failure

    def mounts(self) -> list[str]:
        """Where filesystems are mounted that are looked at."""
        on_devices = {line.strip() for line in self.host.text("/proc/filesystems").splitlines() if line[0] != "n"}
        by_device: dict[str, str] = {}
        # Of a device that is mounted twice (bind mounts) the shortest path counts.
        for device, mount, kind in sorted(self._mounted(), key=lambda one: len(one[1])):
            if kind in (on_devices | _WITHOUT_DEVICE) - _LEFT_OUT:
                by_device.setdefault(device, mount)
        mounts = {"/", *by_device.values()}
        return sorted(mount for mount in mounts if Path(self.host.path(mount)).is_dir())  # containers bind files

    def _mounted(self) -> Iterator[tuple[str, str, str]]:
        for line in self.host.text("/proc/self/mounts").splitlines():
            device, mount, kind, *_ = line.split(" ")
            yield device, re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), mount), kind

    def _room(self, name: str, mount: str) -> Iterator[Point]:
        room = os.statvfs(self.host.path(mount))
        used, usable = room.f_blocks - room.f_bfree, room.f_blocks - room.f_bfree + room.f_bavail
        yield Point(f"{name}.used", float(used * room.f_frsize))
        yield Point(f"{name}.free", float(room.f_bavail * room.f_frsize))
        if usable:
            yield Point(f"{name}.used_percent", round(100 * used / usable, 3))
        if room.f_files:
            used_percent = 100 * (room.f_files - room.f_ffree) / room.f_files
            yield Point(f"{name}.inodes_used_percent", round(used_percent, 3))
        yield Point(f"{name}.read_only", float(bool(room.f_flag & os.ST_RDONLY)))


def named(mounts: list[str]) -> dict[str, str]:
    """Mounts by their component of the name; where two have the same (``/`` and ``/root``), the later is numbered."""
    by_name: dict[str, str] = {}
    for mount in mounts:
        name = component(mount)
        same = sum(component(other) == name for other in by_name.values())
        by_name[f"{name}_{same + 1}" if same else name] = mount
    return by_name
