"""Whether a file is there, as new and as large as it has to be: ``checks.<name>.age_s``, ``bytes``, ``files``.

Of several that a glob finds the newest counts. Down for ``missing``, ``there`` (if it must not be), ``old``, ``size``.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

from tallystick.agent.checks.base import Check, CheckError
from tallystick.agent.checks.registry import check
from tallystick.agent.collecting.tells import Told
from tallystick.config.table import Table, key
from tallystick.model.point import Point

_FILES_MAX = 10_000


def _absolute(text: str) -> None:
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is no whole path; expected one that begins with /")


class Settings(Table, frozen=True):
    """Which file, and how it has to be."""

    path: Annotated[str, key("Of the file; * and ? stand for anything in the last part.", _absolute)]
    exists: Annotated[bool, key("With false it must not be there.")] = True
    age_s_max: Annotated[int, key("Down if it was last changed longer ago; 0 for any age.", ge=0)] = 0
    bytes_min: Annotated[int, key("Down if it is smaller.", ge=0)] = 0
    bytes_max: Annotated[int, key("Down if it is larger; 0 for any size.", ge=0)] = 0


METRICS = (
    Told("files", "files", "Files that were found"),
    Told("age_s", "seconds", "Since the newest was written"),
    Told("bytes", "bytes", "Its size"),
)


@check("file", Settings)
class File(Check[Settings]):
    """What the filesystem says; the file is not opened."""

    TELLS = METRICS

    def look(self) -> Iterator[Point]:
        found = list(self._found())
        yield Point("files", float(len(found)))
        wanted = self.settings.path
        if not self.settings.exists:
            if found:
                raise CheckError("there", f"{wanted} is there; expected none")
            return
        if not found:
            raise CheckError("missing", f"{wanted} is not there")
        newest = max(found, key=lambda told: told.st_mtime)
        age_s = max(0.0, self.clock.now() - newest.st_mtime)  # a clock that was set back makes none younger than new
        yield Point("age_s", round(age_s, 3))
        yield Point("bytes", float(newest.st_size))
        if self.settings.age_s_max and age_s > self.settings.age_s_max:
            raise CheckError(
                "old", f"{wanted} was changed {age_s:.0f} s ago; expected {self.settings.age_s_max} at most"
            )
        if newest.st_size < self.settings.bytes_min:
            raise CheckError(
                "size", f"{wanted} has {newest.st_size} bytes; expected {self.settings.bytes_min} at least"
            )
        if self.settings.bytes_max and newest.st_size > self.settings.bytes_max:
            raise CheckError("size", f"{wanted} has {newest.st_size} bytes; expected {self.settings.bytes_max} at most")

    def _found(self) -> Iterator[os.stat_result]:
        path = Path(self.host.path(self.settings.path))
        for file in islice(path.parent.glob(path.name), _FILES_MAX):
            try:
                yield file.stat()
            except OSError:  # gone meanwhile, or a link to nothing
                continue
