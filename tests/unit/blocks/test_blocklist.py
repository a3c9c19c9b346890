"""The block list: who and what is on it, until when, and who said so; over restarts, by the clock."""

import sqlite3
import threading
from pathlib import Path

import pytest

from tallystick.blocks import BLOCKS_MAX, FILE_NAME, BlockList
from tallystick.model.clock import ManualClock
from tallystick.model.errors import BlockError, StoreError


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def blocks(clock: ManualClock) -> BlockList:
    return BlockList(None, clock)


def patterns(blocks: BlockList) -> list[str]:
    return [block.pattern for block in blocks.in_force.blocks]


def test_what_was_blocked_is_blocked_after_a_restart_with_its_audit_trail(tmp_path: Path, clock: ManualClock):
    path = tmp_path / FILE_NAME
    first = BlockList(path, clock)
    first.block("web.*", "", clock.now() + 60, "a flood", "ann from 10.0.0.1")
    first.block("*", "10.1.2.3/16", None, "wrong clock", "bob")
    first.count({1: 5})
    version = first.in_force.version
    first.stop()

    second = BlockList(path, clock)
    assert [(b.pattern, b.source, b.until_s, b.why, b.who) for b in second.in_force.blocks] == [
        ("web.*", "", clock.now() + 60, "a flood", "ann from 10.0.0.1"),
        ("*", "10.1.0.0/16", None, "wrong clock", "bob"),
    ]
    assert second.refused() == {1: 5, 2: 0}
    assert second.in_force.version >= version
    assert [act.what for act in second.acts()] == ["block", "block"]


def test_a_block_ends_by_the_clock_and_says_so(blocks: BlockList, clock: ManualClock):
    told: list[list[str]] = []
    blocks.when_changed(lambda: told.append(patterns(blocks)))
    until_s = clock.now() + 60
    blocks.block("web.*", "", until_s, "a flood", "ann")
    clock.advance(59.9)
    blocks.look()
    assert patterns(blocks) == ["web.*"]
    clock.advance(0.2)
    blocks.look()
    assert told == [["web.*"], []]
    last = blocks.acts()[0]
    assert (last.what, last.at_s, last.pattern, last.who) == ("expire", until_s, "web.*", "")


def test_a_block_that_ended_while_the_server_was_away_is_over_when_it_starts(tmp_path: Path, clock: ManualClock):
    first = BlockList(tmp_path / FILE_NAME, clock)
    first.block("web.*", "", clock.now() + 60, "a flood", "ann")
    first.stop()
    clock.advance(3600)
    second = BlockList(tmp_path / FILE_NAME, clock)
    assert patterns(second) == []
    assert [act.what for act in second.acts()] == ["expire", "block"]


def test_its_own_thread_notices_that_a_block_is_over(blocks: BlockList, clock: ManualClock):
    over = threading.Event()
    blocks.when_changed(lambda: over.set() if not blocks.in_force.blocks else None)
    blocks.block("web.*", "", clock.now() + 5, "a flood", "ann")
    blocks.start()
    clock.jump(5)
    try:
        assert over.wait(60)
    finally:
        blocks.stop()


def test_blocking_again_gives_a_new_end_and_reason_and_unblocking_ends_it(blocks: BlockList, clock: ManualClock):
    first = blocks.block("web.*", "", clock.now() + 60, "a flood", "ann")
    blocks.count({first.id: 7})
    clock.advance(1)
    again = blocks.block("web.*", "", None, "still", "bob")
    assert (again.id, again.since_s, again.until_s, again.why) == (first.id, first.since_s, None, "still")
    blocks.unblock("web.*", "", "fixed\nnow", "eve")
    assert patterns(blocks) == []
    assert [(a.what, a.why, a.who, a.refused) for a in blocks.acts()] == [
        ("unblock", "fixed now", "eve", 7),
        ("block", "still", "bob", 7),
        ("block", "a flood", "ann", 0),
    ]


def test_the_audit_trail_can_be_neither_changed_nor_deleted(tmp_path: Path, clock: ManualClock):
    blocks = BlockList(tmp_path / FILE_NAME, clock)
    blocks.block("web.*", "", None, "a flood", "ann")
    blocks.stop()
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        for statement in ("delete from act", "update act set who = 'nobody'"):
            with pytest.raises(sqlite3.IntegrityError, match="the audit trail is kept"):
                connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("pattern", "source", "why", "told"),
    [
        ("web.*", "", " ", "nobody says why"),
        ("", "", "x", "no name looks like that"),
        ("a b", "", "x", "no name looks like that"),
        ("a" * 1001, "", "x", "expected at most 1000"),
        ("{a,b,c}" * 5, "", "x", "more than 100 globs"),
        ("[é]", "", "x", "expected ASCII"),
        ("*", "web1", "x", "expected a host as 10.1.2.3"),
        ("*", "10.1.2.3/99", "x", "expected a host as 10.1.2.3"),
    ],
)
def test_what_cannot_be_blocked_is_refused_with_a_sentence(
    blocks: BlockList, pattern: str, source: str, why: str, told: str
):
    with pytest.raises(BlockError, match=told):
        blocks.block(pattern, source, None, why, "ann")
    assert patterns(blocks) == []


def test_a_time_that_is_over_is_no_end_and_what_is_not_blocked_cannot_be_unblocked(
    blocks: BlockList, clock: ManualClock
):
    for until_s in (clock.now(), float("inf"), float("nan")):
        with pytest.raises(BlockError, match="a time to come"):
            blocks.block("web.*", "", until_s, "x", "ann")
    with pytest.raises(BlockError, match="it is not on the list"):
        blocks.unblock("web.*", "10.0.0.1", "", "ann")


def test_a_list_has_an_end(blocks: BlockList):
    for k in range(BLOCKS_MAX):
        blocks.block(f"n{k}", "", None, "x", "ann")
    with pytest.raises(BlockError, match="expected fewer and wider ones"):
        blocks.block("more", "", None, "x", "ann")
    blocks.block("n0", "", None, "another reason", "ann")


def test_senders_are_told_what_is_for_everyone_and_for_their_own_network(blocks: BlockList):
    blocks.block("{web,db}.tmp", "", None, "x", "ann")
    blocks.block("a.*", "10.1.0.0/16", None, "x", "ann")
    blocks.block("b.*", "::1", None, "x", "ann")
    force = blocks.in_force
    assert force.globs_for("10.1.2.3") == ["web.tmp", "db.tmp", "a.*"]
    assert force.globs_for("0:0:0:0:0:0:0:1") == ["web.tmp", "db.tmp", "b.*"]
    assert force.globs_for("") == ["web.tmp", "db.tmp"]


def test_what_the_disk_does_not_take_is_not_blocked_but_what_is_over_is_over(tmp_path: Path, clock: ManualClock):
    blocks = BlockList(tmp_path / FILE_NAME, clock)
    blocks.block("web.*", "", clock.now() + 60, "a flood", "ann")
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        other.execute("create trigger full_disk before insert on act begin select raise(abort, 'disk full'); end")
    with pytest.raises(StoreError, match="cannot keep a block"):
        blocks.block("db.*", "", None, "x", "ann")
    assert patterns(blocks) == ["web.*"]
    clock.advance(61)
    blocks.look()
    assert patterns(blocks) == []
    other.execute("drop trigger full_disk")
    other.close()
    blocks.look()
    assert blocks.acts()[0].what == "expire"
