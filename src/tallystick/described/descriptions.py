"""`Descriptions`: what programs say and people write about series, in one file of SQLite's.

What people write counts before what programs say, a name before a glob, and a later glob before an earlier one, each
field by itself. Senders say the same again at each connection: that costs a look-up, and only what changed is written.
"""

import sqlite3
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tallystick.described.patterns import Pattern
from tallystick.described.subject import subject_of
from tallystick.model.clock import Clock
from tallystick.model.description import NOTHING, Description
from tallystick.model.errors import LimitError
from tallystick.sql import SqlFile
from tallystick.store.contract import Catalog

_SCHEMA_VERSION = 1
_SCHEMA = """
create table said (
    subject text primary key,
    unit text not null,
    owner text not null,
    description text not null,
    alert text not null
) strict, without rowid;
create table written (
    number integer primary key autoincrement,
    pattern text not null unique,
    unit text not null,
    owner text not null,
    description text not null,
    alert text not null
) strict;
"""
_NAMES_AT_ONCE = 10_000
_REMEMBERED_MAX = 50_000

SAID_MAX = 100_000
"""Subjects that senders describe; what more they say is not kept, and told as a problem."""
WRITTEN_MAX = 1000
"""Names and globs that people describe."""


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody wrote about the names that a glob matches."""

    pattern: str
    description: Description


class _Rule(NamedTuple):
    pattern: Pattern
    description: Description


class Descriptions:
    """Keeps descriptions; any thread may call.

    Parameters
    ----------
    path
        The file; None for descriptions that are kept in memory only.
    clock
        Names a damaged file that is set aside.
    said_max
        See `SAID_MAX`.

    Raises
    ------
    StoreError
        If the file cannot be opened, or a newer version wrote it.
    """

    def __init__(self, path: Path | None, clock: Clock, *, said_max: int = SAID_MAX) -> None:
        self._file = SqlFile(path, _SCHEMA, _SCHEMA_VERSION, "descriptions of series are missing", clock)
        self._said_max = said_max
        self._lock = threading.Lock()  # of what senders say: they never wait for the disk
        self._writing = threading.Lock()  # of what people write
        self._unsaved: dict[str, Description] = {}
        """Subjects that differ from the file; `NOTHING` for those that are to go."""
        self._missing: set[str] = set()
        """Subjects that had no series when it was last looked."""
        self._dropped = 0
        self._said, written = self._file.run("read descriptions", _read)
        self._rules = {pattern: _Rule(Pattern(pattern), said) for pattern, said in written.items()}
        """What people wrote, the latest first."""
        self._remembered: dict[str, Description] = {}

    def say(self, name: str, description: Description) -> bool:
        """Take what a sender says of a series; whether it is new, and waits to be saved. Never waits for the disk.

        Who says nothing changes nothing: another process may know more of the same sensor.
        """
        if not any(description):
            return False
        subject = subject_of(name)
        if self._missing:
            with self._lock:
                self._missing.discard(subject)
        known = self._said.get(subject)
        if known == description:
            return False
        with self._lock:
            if known is None and len(self._said) >= self._said_max:
                self._dropped += 1
                return False
            self._put(subject, description)
        return True

    def save(self) -> int:
        """Write what senders said since the last time in one go; return how much that was.

        Raises
        ------
        StoreError
            If the disk does not take it; it is written the next time.
        """
        with self._lock:
            unsaved, self._unsaved = self._unsaved, {}
        gone = [(subject,) for subject, description in unsaved.items() if not any(description)]
        kept = [(subject, *description) for subject, description in unsaved.items() if any(description)]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany("insert or replace into said values (?, ?, ?, ?, ?)", kept)
            connection.executemany("delete from said where subject = ?", gone)

        if not unsaved:
            return 0
        try:
            self._file.run("keep descriptions", write)
        except BaseException:
            with self._lock:
                self._unsaved = unsaved | self._unsaved
            raise
        return len(unsaved)

    def write(self, pattern: str, changes: Mapping[str, str]) -> Description:
        """Describe the names that a glob matches, now and later; it is on disk when this returns.

        Parameters
        ----------
        changes
            The fields to change; an empty text leaves a field to what is said otherwise.

        Returns
        -------
        Description
            All that is written of this glob.

        Raises
        ------
        QueryError
            If the glob cannot be read.
        LimitError
            If there are `WRITTEN_MAX` already.
        StoreError
            If the disk does not take it.
        """
        matcher = Pattern(pattern)
        with self._writing:
            rules = self._rules
            before = rules[pattern].description if pattern in rules else NOTHING
            after = before._replace(**changes)
            if pattern not in rules and len(rules) >= WRITTEN_MAX:
                raise LimitError(
                    f"cannot describe {pattern!r}: {WRITTEN_MAX} names and globs are described already; "
                    "expected a glob for several of them"
                )

            def put(connection: sqlite3.Connection) -> None:
                connection.execute("delete from written where pattern = ?", (pattern,))
                if any(after):
                    columns = "pattern, unit, owner, description, alert"
                    connection.execute(f"insert into written ({columns}) values (?, ?, ?, ?, ?)", (pattern, *after))

            self._file.run("keep descriptions", put)
            others = {text: rule for text, rule in rules.items() if text != pattern}
            # Replaced, not changed: who reads meanwhile goes on with the old ones.
            self._rules = {pattern: _Rule(matcher, after)} | others if any(after) else others
            self._remembered = {}
        return after

    def of(self, name: str) -> Description:
        """What is known of a series, `NOTHING` if nothing is."""
        said = self._said.get(subject_of(name), NOTHING)
        return self._by_people(name).over(said) if self._rules else said

    def written(self) -> list[Written]:
        """What people wrote, the latest first."""
        return [Written(pattern, rule.description) for pattern, rule in self._rules.items()]

    def forget_missing(self, catalog: Catalog) -> int:
        """Forget what senders said of names that no series has, nor had the last time; return how many are forgotten.

        The second look is for those who describe a series before its first number comes.
        """
        if not self._said:
            return 0
        living: set[str] = set()
        ids = catalog.ids()
        for at in range(0, len(ids), _NAMES_AT_ONCE):
            living.update(map(subject_of, catalog.names(ids[at : at + _NAMES_AT_ONCE])))
        with self._lock:
            missing = self._said.keys() - living
            gone = missing & self._missing
            for subject in gone:
                self._put(subject, NOTHING)
            self._missing = missing - gone
        return len(gone)

    @property
    def has_missing(self) -> bool:
        """Whether something waits for its second look."""
        return bool(self._missing)

    @property
    def count(self) -> int:
        """Subjects that senders described."""
        return len(self._said)

    def problems(self) -> list[str]:
        """What an operator should know."""
        if not self._dropped:
            return self._file.problems()
        full = (
            f"cannot keep {self._dropped} descriptions that senders said: {self._said_max} are kept already; "
            "expected descriptions of sensors, not of each series"
        )
        return [*self._file.problems(), full]

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _put(self, subject: str, description: Description) -> None:
        """Set what is said, to be saved; held by the lock."""
        if any(description):
            self._said[subject] = description
        else:
            self._said.pop(subject, None)
        self._unsaved[subject] = description

    def _by_people(self, name: str) -> Description:
        remembered = self._remembered
        found = remembered.get(name)
        if found is None:
            matching = [rule for rule in self._rules.values() if rule.pattern.matches(name)]
            matching.sort(key=lambda rule: not rule.pattern.is_name)  # stable: of each sort the latest stays first
            found = _merged(rule.description for rule in matching)
            if len(remembered) < _REMEMBERED_MAX:
                remembered[name] = found
        return found


def _merged(descriptions: Iterable[Description]) -> Description:
    """Several, the first counts."""
    merged = NOTHING
    for description in descriptions:
        merged = merged.over(description)
    return merged


def _read(connection: sqlite3.Connection) -> tuple[dict[str, Description], dict[str, Description]]:
    """What was said by subject, and what was written by pattern, the latest first."""
    columns = "unit, owner, description, alert"
    said = connection.execute(f"select subject, {columns} from said")
    by_subject = {subject: Description(*fields) for subject, *fields in said}
    written = connection.execute(f"select pattern, {columns} from written order by number desc")
    return by_subject, {pattern: Description(*fields) for pattern, *fields in written}
