r"""OpenTSDB's lines: ``put metric timestamp value key=value ...``, and the commands that its senders try.

::

    put sys.cpu.user 1356998400 42.5 host=webserver01 cpu=0

Words are parted by any run of spaces and tabs, a line may end with ``\r\n``. The tags become part of the name,
``sys.cpu.user;cpu=0;host=webserver01``. A timestamp above 2**32 - 1 is in milliseconds, else in seconds, with a
fraction if need be; -1 means now.

- **Answers.** A good line has none. A bad one is answered by ``put:`` and why; ``version``, ``help`` and ``stats`` by a
  line; ``exit`` closes the connection. At most `ANSWERS_MAX` lines are answered of what is read at a time.
- **Counting.** A ``put`` is a sample. Commands count nothing, unless there are too many of them.

Where this differs from OpenTSDB: metrics and tags may hold any character that Graphite's names can, there may be any
number of tags or none, and a tag given twice keeps its last value.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.names import NameTable
from tallystick.kernels.opentsdb import Commands, parse_lines
from tallystick.model.reason import Reason
from tallystick.parse.contract import LINE_BYTES_MAX, Parsed
from tallystick.parse.lines import LineParser
from tallystick.parse.registry import protocol
from tallystick.version import __version__

ANSWERS_MAX = 64
_TEXT_BYTES_MAX = 200
_ANSWERS = {
    b"version": f"tallystick {__version__}, which takes what net.opentsdb.tools takes".encode(),
    b"help": b"available commands: put version help stats exit",
    b"stats": b"the counts of what was received are at /ledger of the server's HTTP address",
}


@protocol("opentsdb")
class OpenTsdbParser(LineParser):
    """OpenTSDB's ``put`` lines; every sample is a gauge of weight 1."""

    sample_bytes_min = 9
    plain = True

    def __init__(self, line_bytes_max: int = LINE_BYTES_MAX) -> None:
        super().__init__(line_bytes_max)
        self._commands = Commands(np.empty((ANSWERS_MAX, 2), np.int64), np.zeros(1, np.int64))

    def _finished(self, parsed: Parsed, buffer: NDArray[np.uint8]) -> Parsed:
        answers, leaving = self._answer_commands(buffer)
        self._commands.count[0] = 0
        answers += _answer_faults(buffer, parsed)
        return replace(parsed, reply=b"".join(line + b"\n" for line in answers), broken=leaving)

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        return parse_lines(buffer, starts, sizes, self.line_bytes_max, names.arrays, now_ms, self._rows, self._commands)

    def _answer_commands(self, buffer: NDArray[np.uint8]) -> tuple[list[bytes], bool]:
        """The answers to commands, and whether one of them was ``exit``."""
        answers: list[bytes] = []
        for start, length in self._commands.bounds[: self._commands.count[0]].tolist():
            word = buffer[start : start + length].tobytes().replace(b"\t", b" ").partition(b" ")[0]
            if word == b"exit":
                return answers, True
            answers.append(_ANSWERS.get(word) or b"unknown command: " + word[:_TEXT_BYTES_MAX] + b".  Try `help'.")
        return answers, False


def _answer_faults(buffer: NDArray[np.uint8], parsed: Parsed) -> list[bytes]:
    rejects = parsed.rejects
    noted = zip(rejects.offset.tolist(), rejects.length.tolist(), rejects.reason.tolist(), strict=True)
    return [
        b"put: illegal argument: %s: %s"
        % (
            Reason(reason).name.lower().replace("_", " ").encode(),
            buffer[offset : offset + min(length, _TEXT_BYTES_MAX)].tobytes().strip(),
        )
        for offset, length, reason in list(noted)[:ANSWERS_MAX]
    ]
