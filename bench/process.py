"""What a process used: CPU seconds, memory and bytes written to disk, as the kernel counts them."""

import time
from dataclasses import dataclass
from pathlib import Path

_PAGE_BYTES = 4096
_CPUCLOCK_SCHED = 2


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts of a process so far."""

    at_s: float
    cpu_s: float
    resident_bytes: int
    written_bytes: int

    @classmethod
    def of(cls, pid: int) -> "Usage":
        """The counts of a running process, its threads included.

        Notes
        -----
        CPU time is read from the clock of the process (``clock_getcpuclockid(3)``), to the nanosecond; ``/proc`` has it
        only in hundredths of a second.
        """
        folder = Path("/proc") / str(pid)
        resident = int((folder / "statm").read_text().split()[1]) * _PAGE_BYTES
        io = dict(line.split(": ") for line in (folder / "io").read_text().splitlines())
        cpu_s = time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)
        return cls(time.monotonic(), cpu_s, resident, int(io["write_bytes"]))


def peak_resident_bytes(pid: int) -> int:
    """The most memory that a process has held."""
    status = (Path("/proc") / str(pid) / "status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
