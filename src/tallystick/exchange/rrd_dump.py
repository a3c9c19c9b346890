"""What RRDtool says of an archive: the XML of ``rrdtool dump``, read as it comes.

The program is asked because its files are those of a machine: word size, byte order and padding differ. Of the text
only a piece is in memory at a time, of an archive its numbers.
"""

import os
import shutil
import subprocess
import tempfile
from array import array
from dataclasses import dataclass, field
from math import isfinite, nan
from pathlib import Path
from typing import IO
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import ForeignFileError, StartError

PROGRAM = "rrdtool"
VALUES_MAX = 1 << 24
"""Numbers in all archives of a file; a large one of collectd has 50,000."""
_PIECE_BYTES = 1 << 16
_TEXT_CHARACTERS_MAX = 1 << 20
_DEPTH_MAX = 16
_TIME_S_MAX = 1 << 33

_SETTINGS = {
    ("rrd", "step"),
    ("rrd", "lastupdate"),
    ("rrd", "ds", "name"),
    ("rrd", "ds", "type"),
    ("rrd", "rra", "cf"),
    ("rrd", "rra", "pdp_per_row"),
}
_DATABASE = ("rrd", "rra", "database")


@dataclass(frozen=True, slots=True)
class Archive:
    """One round-robin archive.

    Parameters
    ----------
    function
        How its rows were made: ``AVERAGE``, ``MIN``, ``MAX``, ``LAST``, or a forecast that is nobody's measurement.
    steps
        So many steps of the file are one row.
    values : float64[rows, sources]
        Oldest first; NaN is unknown.
    """

    function: str
    steps: int
    values: NDArray[np.float64]


@dataclass(slots=True)
class Dump:
    """A file of RRDtool."""

    step_s: int = 0
    last_update_s: int = -1
    sources: list[str] = field(default_factory=list)
    archives: list[Archive] = field(default_factory=list)


def dump_of(path: Path) -> Dump:
    """Read an archive by the program ``rrdtool``, or a dump that was made of one earlier (``.xml``).

    Raises
    ------
    ForeignFileError
        If it is no archive, damaged, or larger than `VALUES_MAX`.
    StartError
        If the program is needed and not there.
    """
    if path.suffix.lower() == ".xml":
        with path.open("rb") as file:
            return _read(path, file)
    program = shutil.which(PROGRAM)
    if program is None:
        raise StartError(f"cannot read {path}: there is no program {PROGRAM}; expected apt-get install rrdtool")
    with tempfile.TemporaryFile() as complaints:
        environment = os.environ | {"LC_ALL": "C"}  # else numbers may have commas
        command = [program, "dump", str(path.absolute())]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, env=environment) as process:
            assert process.stdout is not None
            try:
                found = _read(path, process.stdout)
            except ForeignFileError:
                process.kill()
                if process.wait() <= 0 or not (said := _said(complaints)):
                    raise
                raise ForeignFileError(f"cannot read {path}: {said}") from None
        if process.returncode:
            raise ForeignFileError(f"cannot read {path}: {_said(complaints)}")
    return found


def _said(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    return complaints.read(500).decode(errors="replace").strip().removeprefix("ERROR: ")


def _read(path: Path, text: IO[bytes]) -> Dump:
    reading = _Reading()
    try:
        while piece := text.read(_PIECE_BYTES):
            reading.feed(piece)
        return reading.end()
    except (expat.ExpatError, ValueError) as cause:
        raise ForeignFileError(f"cannot read {path}: {cause}; expected what rrdtool dump writes") from None


class _Reading:
    """Turns the events of the XML parser into a `Dump`."""

    def __init__(self) -> None:
        self._found = Dump()
        self._path: list[str] = []
        self._texts: list[str] = []
        self._function, self._steps = "", 0
        self._values = array("d")
        self._n_values = 0
        self._fed_bytes = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.EntityDeclHandler = self._entity

    def feed(self, piece: bytes) -> None:
        self._parser.Parse(piece, False)
        self._fed_bytes += len(piece)
        if self._fed_bytes - self._parser.CurrentByteIndex > _TEXT_CHARACTERS_MAX:
            raise ValueError("it has a tag without end")
        if sum(map(len, self._texts)) > _TEXT_CHARACTERS_MAX:
            raise ValueError("it has a text without end")

    def end(self) -> Dump:
        self._parser.Parse(b"", True)
        found = self._found
        if max([archive.steps for archive in found.archives], default=1) * found.step_s >= _TIME_S_MAX:
            raise ValueError("a row would be longer than the age of the epoch")
        if found.step_s < 1 or not found.sources or not 0 <= found.last_update_s < _TIME_S_MAX:
            raise ValueError("step, data sources or time of the last update are missing or out of range")
        return found

    def _entity(self, *_: object) -> None:
        raise ValueError("it declares entities")

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > _DEPTH_MAX:
            raise ValueError("its elements are nested too deeply")
        path = tuple(self._path)
        if path == _DATABASE:
            # Nearly all of a dump is here: one call for each value and each row, and none for where they begin.
            self._parser.StartElementHandler = None
            self._parser.EndElementHandler = self._end_in_database
        # Text is taken only where it means something.
        self._parser.CharacterDataHandler = self._texts.append if path == _DATABASE or path in _SETTINGS else None

    def _end(self, _: str) -> None:
        path = tuple(self._path)
        self._path.pop()
        self._parser.CharacterDataHandler = None
        if path in _SETTINGS:
            self._take_setting(path, self._text())
        elif path == _DATABASE[:-1]:
            self._take_archive()

    def _end_in_database(self, name: str) -> None:
        if name == "v":
            value = float(self._text())
            self._values.append(value if isfinite(value) else nan)
        elif name == "database":
            self._path.pop()
            self._parser.CharacterDataHandler = None
            self._parser.StartElementHandler = self._start
            self._parser.EndElementHandler = self._end
        elif self._n_values + len(self._values) > VALUES_MAX:
            raise ValueError(f"it has more than {VALUES_MAX} values")
        self._texts.clear()

    def _text(self) -> str:
        text = self._texts[0] if len(self._texts) == 1 else "".join(self._texts)
        self._texts.clear()
        return text.strip()

    def _take_setting(self, path: tuple[str, ...], text: str) -> None:
        match path[1:]:
            case ("step",):
                self._found.step_s = _number(text)
            case ("lastupdate",):
                self._found.last_update_s = _number(text)
            case ("ds", "name"):
                self._found.sources.append(text)
            case ("rra", "cf"):
                self._function = text
            case ("rra", "pdp_per_row"):
                self._steps = _number(text)

    def _take_archive(self) -> None:
        width = len(self._found.sources)
        if not width or len(self._values) % width or self._steps < 1:
            raise ValueError(f"an archive of {len(self._values)} values does not fit {width} data sources")
        self._n_values += len(self._values)
        values = np.array(self._values).reshape(-1, width)
        self._found.archives.append(Archive(self._function, self._steps, values))
        self._values, self._function, self._steps = array("d"), "", 0


def _number(text: str) -> int:
    number = int(text)
    if not 0 <= number < _TIME_S_MAX:
        raise ValueError(f"{text} is out of range")
    return number
