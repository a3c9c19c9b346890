"""However a log is written, rotated, copied, packed and left alone, each of its lines is given once and in order."""

import gzip
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tallystick.agent.logs.follow import Follower
from tallystick.agent.logs.position import Position


class WrittenLog(RuleBasedStateMachine):
    """A program writes a log, others rotate it; a follower is stopped and begun again where it was."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.path = self.root / "app.log"
        self.writer = self.path.open("ab", buffering=0)
        self.written = 0
        self.rotations = 0
        self.partial = False
        self.given: list[bytes] = []
        self.follower = Follower(self.path)

    @rule(count=st.integers(1, 40))
    def write_lines(self, count: int) -> None:
        self._finish_line()
        for _ in range(count):
            self.writer.write(b"2026-11-22 line %d\n" % self.written)
            self.written += 1

    @rule()
    def write_half_a_line(self) -> None:
        self._finish_line()
        self.writer.write(b"2026-11-22 line %d" % self.written)
        self.written += 1
        self.partial = True

    @rule()
    def look(self) -> None:
        self.given += self.follower.look(1 << 20)

    @rule(limit=st.integers(1, 100))
    def look_a_little(self, limit: int) -> None:
        self.given += self.follower.look(limit)

    @rule()
    def rotate(self) -> None:
        """As logrotate's `create` does it, and a program that opens its log anew."""
        self._shift()
        self.path.rename(self.root / "app.log.1")
        self._finish_line()  # what was begun is ended in the old file
        self._date(self.root / "app.log.1")
        self.writer.close()
        self.writer = self.path.open("ab", buffering=0)

    @rule()
    def rotate_by_copy(self) -> None:
        """As logrotate's `copytruncate` does it."""
        self._finish_line()
        position = self.follower.position
        if position is None or position.offset == 0 or self.follower.rotated_away:
            self._catch_up()  # a file of which nothing was read cannot be told from others
        self._shift()
        shutil.copy(self.path, self.root / "app.log.1")
        self._date(self.root / "app.log.1")
        self.path.open("wb").close()

    @rule()
    def pack_the_oldest(self) -> None:
        plain = [path for path in self.root.iterdir() if path.suffix[1:].isdigit()]
        if not plain:
            return
        oldest = max(plain, key=lambda path: int(path.suffix[1:]))
        status = oldest.stat()
        packed = self.root / f"{oldest.name}.gz"
        packed.write_bytes(gzip.compress(oldest.read_bytes()))
        os.utime(packed, ns=(status.st_mtime_ns, status.st_mtime_ns))
        oldest.unlink()

    @rule()
    def stop_and_begin_again(self) -> None:
        position = self.follower.position
        # What a file gets after it was rotated away is given by whoever saw that.
        if position is not None and position.offset and not self.follower.rotated_away:
            self.follower.close()
            self.follower = Follower(self.path, Position.parse(str(position)))

    @invariant()
    def what_was_given_was_written_in_that_order(self) -> None:
        assert self.given == [b"2026-11-22 line %d" % k for k in range(len(self.given))]

    def teardown(self) -> None:
        self._finish_line()
        self._catch_up()
        self.follower.close()
        self.writer.close()
        shutil.rmtree(self.root)
        self.what_was_given_was_written_in_that_order()
        assert len(self.given) == self.written

    def _catch_up(self) -> None:
        for _ in range(5 + self.rotations):
            self.given += self.follower.look(1 << 24)

    def _finish_line(self) -> None:
        if self.partial:
            self.writer.write(b"\n")
            self.partial = False

    def _shift(self) -> None:
        """Make room for a new ``app.log.1``."""
        numbered = sorted(self.root.glob("app.log.*"), key=lambda path: -int(path.name.split(".")[2]))
        for path in numbered:
            _, _, number, *packed = path.name.split(".")
            path.rename(self.root / ".".join(["app.log", str(int(number) + 1), *packed]))

    def _date(self, path: Path) -> None:
        """The kernel's clock is too coarse to tell which of two files is older here."""
        self.rotations += 1
        os.utime(path, (self.rotations, self.rotations))


TestWrittenLog = WrittenLog.TestCase
TestWrittenLog.settings = settings(max_examples=60, stateful_step_count=30)
