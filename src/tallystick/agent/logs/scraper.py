"""`Scraper`: follows the files of all ``[[logs]]``; what they say and how far they were read it hands over together."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tallystick.agent.logs.follow import Followed, Follower
from tallystick.agent.logs.parts import identity
from tallystick.agent.logs.position import Position
from tallystick.agent.logs.reader import LogReader
from tallystick.agent.logs.report import as_json, write_errors
from tallystick.agent.tallies import Tallies
from tallystick.config.logs import Log
from tallystick.model.clock import Clock
from tallystick.model.point import Point
from tallystick.native.messages import Slot

log = logging.getLogger(__name__)

FILES_MAX = 500
"""Files that are followed; what a glob finds beyond them is left out, and told."""
_LOOK_S = 1.0
_HAND_OVER_S = 10.0
_GLOB_LOOKS = 10
_PIECE_BYTES = 1 << 18
_PIECES_A_LOOK = 64
"""A file gets no longer a turn, so that one that grows fast does not keep the others waiting."""
CURSOR = "log:"
_NO_FILE = "none"
"""Stands for the position in a file that was not there yet: it is read from its start."""

HandOver = Callable[[Sequence[Slot], Mapping[str, str]], None]
"""Takes slots, and positions that are to become durable together with them."""


class Scraper:
    """A thread that looks at all files each second.

    Parameters
    ----------
    logs
        What is followed.
    cursors
        Positions that an earlier process handed over.
    hand_over
        Takes slots whose names begin with the program's, and the positions behind the lines that are in them; an empty
        one is forgotten.
    errors_file
        Where the kinds of errors are written for whoever asks; None for nowhere.
    clock
        For lines that bear no time.
    is_writable
        Whether the disk takes positions. While it does not, files are not read on: who comes after a crash reads them
        from where they were left. Only what was deleted is read to its end, for nobody can read it later, and its room
        may be what the disk lacks.
    """

    def __init__(
        self,
        logs: Sequence[Log],
        cursors: Mapping[str, str],
        hand_over: HandOver,
        errors_file: Path | None,
        clock: Clock,
        is_writable: Callable[[], bool] = lambda: True,
    ) -> None:
        self._logs = logs
        self._cursors = cursors
        self._hand_over = hand_over
        self._errors_file = errors_file
        self._clock = clock
        self._is_writable = is_writable
        self._tallies = Tallies(clock)
        self._files: dict[Path, tuple[Follower, LogReader]] = {}
        self._named = {Path(item.path).expanduser() for item in logs if not _is_glob(item.path)}
        self._gone: list[str] = []  # positions of files that are there no longer
        self._gone_counts: Counter[str] = Counter()
        self._told = b""
        self._looks = 0
        self._handed_over_s = clock.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Read what is there, hand it over, and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.tick()
        self.hand_over()
        for follower, _ in self._files.values():
            follower.close()

    def tick(self) -> None:
        """Look once at each file."""
        is_new = self._looks % _GLOB_LOOKS == 0 and self._find_files()
        self._looks += 1
        now_s, is_writable = self._clock.now(), self._is_writable()
        for follower, reader in self._files.values():
            if not (is_writable or follower.holds_deleted):
                continue
            for _ in range(_PIECES_A_LOOK):
                reader.read(follower.look(_PIECE_BYTES), now_s, self._tallies)
                if follower.at_end:
                    break
        # From where a file is followed is made known at once: who comes after a crash must not begin anew.
        if is_writable and (is_new or self._clock.monotonic() - self._handed_over_s >= _HAND_OVER_S):
            self.hand_over()

    def hand_over(self) -> None:
        """Hand over all that was counted, with the positions of now: both become durable, or none."""
        self._handed_over_s = self._clock.monotonic()
        positions = dict.fromkeys(self._gone, "")
        for path, (follower, _) in self._files.items():
            if (at := follower.position) is not None:
                positions[CURSOR + str(path)] = str(at)
            else:
                positions[CURSOR + str(path)] = _NO_FILE
        slots = self._tallies.drain()
        if slots or any(self._cursors.get(name, "") != at for name, at in positions.items()):
            self._hand_over(slots, positions)
            self._cursors = {**self._cursors, **positions}
            self._gone.clear()
        self._write_errors()

    def points(self) -> Iterator[Point]:
        """What the agent tells of the logs that it follows; totals."""
        files = list(self._files.values())
        yield Point("logs.files", float(len(files)))
        for name in Followed.__slots__:
            met = sum(getattr(follower.counts, name) for follower, _ in files)
            yield Point(f"logs.{name}", float(self._gone_counts[name] + met))
        yield Point("logs.unread", float(self._gone_counts["unread"] + sum(reader.unread for _, reader in files)))

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_S):
            self.tick()

    def _write_errors(self) -> None:
        told = as_json({str(path): errors for path, (_, reader) in self._files.items() if (errors := reader.errors)})
        if self._errors_file is None or told == self._told:
            return
        try:
            write_errors(self._errors_file, told)
            self._told = told
        except OSError as error:  # the counts are what matters; the next time it is tried again
            log.warning("cannot write %s: %s", self._errors_file, error.strerror or error)

    def _find_files(self) -> bool:
        """Whether there are new ones."""
        self._forget_files()
        before = len(self._files)
        held = {identity for follower, _ in self._files.values() for identity in follower.identities}
        for configured in self._logs:
            for path in _paths(configured):
                if path in self._files or identity(path) in held:
                    continue
                if len(self._files) >= FILES_MAX:
                    log.warning("cannot follow %s: %d files are followed already", path, FILES_MAX)
                    break
                follower = self._open(path)
                held |= follower.identities
                self._files[path] = follower, LogReader(configured, path)
        return len(self._files) > before

    def _forget_files(self) -> None:
        """Let go of what a glob found and is there no longer; logs with a date in their names come every day."""
        for path in [path for path in self._files if path not in self._named and identity(path) is None]:
            follower, reader = self._files.pop(path)
            follower.close()
            self._gone_counts["unread"] += reader.unread
            for name in Followed.__slots__:
                self._gone_counts[name] += getattr(follower.counts, name)
            self._gone.append(CURSOR + str(path))

    def _open(self, path: Path) -> Follower:
        """A file is read from where an earlier process left it; what was there before anybody looked is not counted."""
        cursor = self._cursors.get(CURSOR + str(path))
        if cursor == _NO_FILE:
            return Follower(path)
        if cursor:
            try:
                return Follower(path, Position.parse(cursor))
            except ValueError as error:
                log.warning("cannot go on in %s: %s; beginning at its end", path, error)
        return Follower(path, at_end=self._looks == 0)


def _paths(configured: Log) -> Iterator[Path]:
    path = Path(configured.path).expanduser()
    if _is_glob(configured.path):
        yield from sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    else:
        yield path


def _is_glob(path: str) -> bool:
    return any(c in path for c in "*?[")
