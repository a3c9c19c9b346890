"""The host that collectors look at: this machine, or a tree of files that stands for one."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Host:
    """Where a collector reads what the kernel tells.

    Parameters
    ----------
    root
        Stands before absolute paths; tests put trees of ``/proc`` and ``/sys`` there, a container the host's.
    """

    root: str = ""

    def path(self, absolute: str) -> str:
        """Where a file of the host lies; as a string, since thousands of them are opened every ten seconds."""
        return self.root + absolute

    def text(self, absolute: str) -> str:
        """What a file of the host holds.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        with Path(self.root + absolute).open(encoding="utf-8", errors="replace") as file:
            return file.read()

    def names(self, absolute: str) -> list[str]:
        """What lies in a directory of the host.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        with os.scandir(self.root + absolute) as entries:
            return [entry.name for entry in entries]

    def text_or_none(self, absolute: str) -> str | None:
        """What a file of the host holds; None if it is not there, may not be read, or its process is gone."""
        try:
            return self.text(absolute)
        except OSError:
            return None
