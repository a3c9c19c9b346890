"""`BlockList`: what is blocked now, kept in a file of SQLite's with its audit trail, and told to whoever applies it.

A block is on disk before whoever asks for it is answered. It ends by the clock: a thread waits for that and tells
those who apply the list within a second, so nobody who receives has to look at the time.
"""

import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tallystick.blocks.block import (
    WHO_CHARS_MAX,
    WHY_CHARS_MAX,
    Act,
    Block,
    checked_block,
    host_in,
    in_own_form,
)
from tallystick.model.clock import Clock
from tallystick.model.errors import BlockError, StoreError
from tallystick.model.printable import on_a_line
from tallystick.sql import SqlFile

logger = logging.getLogger(__name__)

FILE_NAME = "blocks.db"
"""In the directory of the store."""
BLOCKS_MAX = 1000
ACTS_SHOWN = 200

_LOOK_S = 1.0
"""A wall clock may be set while somebody waits for it."""
_SCHEMA = """
create table block (
    id integer primary key autoincrement,
    pattern text not null,
    source text not null,
    since_s real not null,
    until_s real,
    why text not null,
    who text not null,
    refused integer not null default 0,
    unique (pattern, source)
) strict;
create table act (
    id integer primary key autoincrement,
    at_s real not null,
    what text not null,
    pattern text not null,
    source text not null,
    until_s real,
    why text not null,
    who text not null,
    refused integer not null
) strict;
create trigger acts_stay before delete on act begin select raise(abort, 'the audit trail is kept'); end;
create trigger acts_are_true before update on act begin select raise(abort, 'the audit trail is kept'); end;
"""
_BLOCK = "id, pattern, source, since_s, until_s, why, who"
_LAST_ACT = "select coalesce(max(id), 0) from act"
_ACT = "at_s, what, pattern, source, until_s, why, who, refused"


@dataclass(frozen=True, slots=True, eq=False)
class InForce:
    """What is blocked at a moment; another object when that has changed.

    Parameters
    ----------
    version
        Grows with each change, over restarts as well.
    blocks
        In the order in which they came.
    """

    version: int
    blocks: tuple[Block, ...] = ()

    def globs_for(self, host: str) -> list[str]:
        """What a sender at that address need not send, each glob once."""
        address = host_in(host)
        nets = [(block, block.network) for block in self.blocks]
        meant = [b for b, net in nets if net is None or (address is not None and address in net)]
        return list(dict.fromkeys(glob for block in meant for glob in block.globs))


class BlockList:
    """The list; any thread may call.

    Parameters
    ----------
    path
        The file; None for a list that is kept in memory only.

    Raises
    ------
    StoreError
        If the file cannot be opened, or a newer version wrote it.
    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._clock = clock
        self._file = SqlFile(path, _SCHEMA, 1, "the block list is missing, nothing of it is blocked", clock)
        self._changed = threading.Condition(threading.RLock())
        self._listeners: list[Callable[[], None]] = []
        self._refused: Counter[int] = Counter()  # by block, what the file does not have yet
        self._owed: list[Block] = []  # those that are over, which the file does not know yet
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="blocks", daemon=True)
        rows = self._file.run("read the block list", lambda c: c.execute(f"select {_BLOCK} from block").fetchall())
        (version,) = self._file.run("read the acts", lambda c: c.execute(_LAST_ACT).fetchone())
        self._force = InForce(version, tuple(Block(*row) for row in rows))
        self.look()

    @property
    def in_force(self) -> InForce:
        """What is blocked now."""
        return self._force

    @property
    def version(self) -> int:
        """Of what is in force."""
        return self._force.version

    def globs_for(self, host: str) -> list[str]:
        """What a sender at an address need not send, as globs without braces, each once."""
        return self._force.globs_for(host)

    def when_changed(self, call: Callable[[], None]) -> None:
        """Have `call` called, by whatever thread, after each change."""
        self._listeners.append(call)

    def block(self, pattern: str, source: str, until_s: float | None, why: str, who: str) -> Block:
        """Put names on the list; what is on it already gets the new end and reason.

        Parameters
        ----------
        pattern, source, until_s, why, who
            See `Block`.

        Raises
        ------
        BlockError
            If that is no block, or the list is full.
        StoreError
            If the disk does not take it; then nothing is blocked.
        """
        wanted = checked_block(pattern, source, until_s, why, who, self._clock.now())
        with self._changed:
            if self._owed:
                self._settle()
            present = _found(self._force.blocks, wanted.pattern, wanted.source)
            if present is None and len(self._force.blocks) >= BLOCKS_MAX:
                raise BlockError(
                    f"cannot block {pattern!r}: there are {BLOCKS_MAX} blocks; expected fewer and wider ones"
                )

            def write(connection: sqlite3.Connection) -> Block:
                kept = _kept(connection, wanted, present)
                self._note(connection, "block", kept, kept.why, kept.who)
                return kept

            kept = self._file.run("keep a block", write)
            others = tuple(one for one in self._force.blocks if one.id != kept.id)
            self._set((*others, kept))
        self._tell()
        return kept

    def unblock(self, pattern: str, source: str, why: str, who: str) -> Block:
        """Take names off the list.

        Raises
        ------
        BlockError
            If they are not on it.
        StoreError
            If the disk does not take that; then they stay.
        """
        source, said = in_own_form(source), (on_a_line(why, WHY_CHARS_MAX), on_a_line(who, WHO_CHARS_MAX))
        with self._changed:
            present = _found(self._force.blocks, pattern, source)
            if present is None:
                place = f" from {source}" if source else ""
                raise BlockError(
                    f"cannot unblock {pattern[:100]!r}{place}: it is not on the list; expected one as "
                    "'tallystick block' shows it"
                )
            self._file.run("end a block", lambda c: self._end(c, "unblock", [present], *said))
            self._set(tuple(one for one in self._force.blocks if one is not present))
        self._tell()
        return present

    def count(self, refused: Mapping[int, int]) -> None:
        """Samples that were kept out, by the number of the block."""
        with self._changed:
            self._refused.update(refused)

    def refused(self) -> dict[int, int]:
        """How many samples each block has kept out.

        Raises
        ------
        StoreError
            If the file cannot be read.
        """
        with self._changed:
            rows = self._file.run(
                "read the block list", lambda c: c.execute("select id, refused from block").fetchall()
            )
            return {number: count + self._refused[number] for number, count in rows}

    def acts(self, limit: int = ACTS_SHOWN) -> list[Act]:
        """The audit trail, the latest first.

        Raises
        ------
        StoreError
            If the file cannot be read.
        """
        query = f"select id, {_ACT} from act order by id desc limit ?"
        return [Act(*row) for row in self._file.run("read the acts", lambda c: c.execute(query, (limit,)).fetchall())]

    def look(self) -> None:
        """End what is over; done each second by the list's own thread."""
        now_s = self._clock.now()
        with self._changed:
            over = [one for one in self._force.blocks if one.until_s is not None and one.until_s <= now_s]
            self._owed += over
            if over:
                self._set(tuple(one for one in self._force.blocks if one not in over))
            if self._owed:
                self._settle()
        if over:
            self._tell()

    def save(self) -> None:
        """Have what was counted on disk; to be called now and then."""
        with self._changed:
            if not self._refused:
                return

            def write(connection: sqlite3.Connection) -> None:
                rows = [(count, number) for number, count in self._refused.items()]
                connection.executemany("update block set refused = refused + ? where id = ?", rows)

            try:
                self._file.run("keep the counts of blocks", write)
            except StoreError as error:
                logger.warning("%s", error)
            else:
                self._refused.clear()

    def problems(self) -> list[str]:
        """What an operator should know."""
        return self._file.problems()

    def start(self) -> None:
        """Begin to watch the clock."""
        self._thread.start()

    def stop(self) -> None:
        """Keep what was counted, and let go of the file."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()
        self.save()
        self._file.close()

    def _run(self) -> None:
        while True:
            with self._changed:
                ends = any(one.until_s is not None for one in self._force.blocks)
                if not self._stopping:
                    self._changed.wait(self._patience() if ends or self._owed else None)
                if self._stopping:
                    return
            self.look()

    def _patience(self) -> float:
        left = [one.until_s - self._clock.now() for one in self._force.blocks if one.until_s is not None]
        return min(max(min(left, default=_LOOK_S), 0.01), _LOOK_S)

    def _settle(self) -> None:
        """Have the file know of blocks that are over; while it cannot, they are over all the same."""
        try:
            self._file.run("end a block", lambda c: self._end(c, "expire", self._owed, "", ""))
        except StoreError as error:
            logger.warning("%s", error)
        else:
            self._owed = []

    def _end(self, connection: sqlite3.Connection, what: str, blocks: list[Block], why: str, who: str) -> None:
        for block in blocks:
            self._note(connection, what, block, why, who)
            connection.execute("delete from block where id = ?", (block.id,))

    def _note(self, connection: sqlite3.Connection, what: str, block: Block, why: str, who: str) -> None:
        at_s = block.until_s if what == "expire" else self._clock.now()
        (refused,) = connection.execute("select refused from block where id = ?", (block.id,)).fetchone()
        refused += self._refused[block.id]
        row = at_s, what, block.pattern, block.source, block.until_s, why, who, refused
        connection.execute(f"insert into act ({_ACT}) values (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _set(self, blocks: tuple[Block, ...]) -> None:
        self._force = InForce(self._force.version + 1, blocks)
        self._changed.notify()

    def _tell(self) -> None:
        for call in self._listeners:
            call()


def _kept(connection: sqlite3.Connection, wanted: Block, present: Block | None) -> Block:
    """A block with the number that it has, or that it is given now."""
    if present is not None:
        row = wanted.until_s, wanted.why, wanted.who, present.id
        connection.execute("update block set until_s = ?, why = ?, who = ? where id = ?", row)
        return replace(wanted, id=present.id, since_s=present.since_s)
    columns = wanted.pattern, wanted.source, wanted.since_s, wanted.until_s, wanted.why, wanted.who
    insert = "insert into block (pattern, source, since_s, until_s, why, who) values (?, ?, ?, ?, ?, ?)"
    return replace(wanted, id=connection.execute(insert, columns).lastrowid or 0)


def _found(blocks: tuple[Block, ...], pattern: str, source: str) -> Block | None:
    return next((one for one in blocks if (one.pattern, one.source) == (pattern, source)), None)
