"""Runs a command as the system calls of its unit allow it: ``python under_unit.py UNIT COMMAND ...``.

What systemd would do with ``SystemCallFilter=`` and ``MemoryDenyWriteExecute=``, by the library that it does so with. A
call that is not allowed kills the process here, whatever the unit would answer: so it cannot be passed over.
"""

import ctypes
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_KILL_PROCESS, _ALLOW = 0x80000000, 0x7FFF0000
_SET_MDWE, _REFUSE_EXEC_GAIN = 65, 1


def allowed(words: list[str]) -> Iterator[str]:
    """The calls of a filter, whose groups are spelt out."""
    for word in words:
        if word.startswith("@"):
            told = subprocess.run(
                ["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True
            )
            lines = (line.split("#")[0].strip() for line in told.stdout.splitlines()[1:])
            yield from allowed([line for line in lines if line])
        else:
            yield word


def confine(calls: set[str]) -> None:
    """Let this process and those that it starts make these calls and no others."""
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(_KILL_PROCESS)))
    for call in calls:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:  # others are of other machines
            seccomp.seccomp_rule_add(context, ctypes.c_uint32(_ALLOW), number, 0)
    if failed := seccomp.seccomp_load(context):
        raise OSError(-failed, "the kernel does not take the filter")


def main() -> None:
    """Confine, then become the command."""
    unit = Path(sys.argv[1]).read_text(encoding="utf-8")
    words = " ".join(re.findall(r"(?m)^SystemCallFilter=(.*)$", unit)).split()
    calls = set(allowed(["@default", *words]))
    if "MemoryDenyWriteExecute=yes" in unit:
        ctypes.CDLL(None).prctl(_SET_MDWE, _REFUSE_EXEC_GAIN, 0, 0, 0)  # kernels before 6.3 have it not
    confine(calls)
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
