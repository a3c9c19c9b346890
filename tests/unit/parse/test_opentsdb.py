"""What OpenTSDB's senders are told."""

from tallystick import __version__
from tallystick.parse import NameTable, Parsed, padded, protocols
from tallystick.parse.opentsdb import ANSWERS_MAX

NOW_MS = 1_700_000_000_000


def parse(text: bytes) -> Parsed:
    return protocols()["opentsdb"]().parse(padded(text), len(text), NameTable(), NOW_MS)


def test_a_good_line_has_no_answer():
    assert parse(b"put a 1356998400 1 k=v\n").reply == b""


def test_the_version_is_told_as_senders_ask_before_they_send():
    parsed = parse(b"version\nput a 1356998400 1 k=v\n")
    assert __version__.encode() in parsed.reply
    assert parsed.reply.count(b"\n") == 1
    assert (parsed.lines, len(parsed.batch)) == (1, 1)


def test_a_bad_line_is_told_with_its_reason():
    reply = parse(b"put a 1356998400 x k=v\nput a 1356998400 1 =v\n").reply
    assert reply == (
        b"put: illegal argument: value: put a 1356998400 x k=v\nput: illegal argument: tag: put a 1356998400 1 =v\n"
    )


def test_an_unknown_command_is_told_what_there_is():
    assert parse(b"drop tables\n").reply == b"unknown command: drop.  Try `help'.\n"


def test_exit_ends_the_connection_after_what_came_before():
    parsed = parse(b"put a 1356998400 1 k=v\nexit\n")
    assert parsed.broken
    assert len(parsed.batch) == 1


def test_answers_are_bounded_and_what_has_none_is_counted():
    parsed = parse(b"help\n" * 1000)
    assert parsed.reply.count(b"available") == ANSWERS_MAX
    assert parsed.rejects.total == 1000 - ANSWERS_MAX
    assert len(parsed.reply) < 20_000
