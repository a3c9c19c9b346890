from tallystick.config import Listener
from tallystick.model.reason import Reason
from tallystick.parse import NameTable, Parsed, padded
from tallystick.parse.statsd import StatsdParser

NOW_MS = 1_700_000_000_000


def parse(stream: bytes, *, final: bool = False, framed: bool = True) -> Parsed:
    return StatsdParser(framed=framed).parse(padded(stream), len(stream), NameTable(), NOW_MS, final=final)


def frame(text: bytes) -> bytes:
    return len(text).to_bytes(4, "little") + text


def test_a_unix_stream_takes_frames_and_lines() -> None:
    assert len(parse(frame(b"a:1|c\nb:2|c") + frame(b"c:3|c")).batch) == 3
    assert len(parse(b"a:1|c\nb:2|c\n").batch) == 2


def test_what_is_not_there_yet_is_waited_for() -> None:
    stream = frame(b"a:1|c") + frame(b"b:2|c")
    for length in range(len(stream)):
        parsed = parse(stream[:length])
        assert parsed.consumed == (9 if length >= 9 else 0)
        assert len(parsed.batch) == parsed.lines == int(length >= 9)


def test_a_length_that_is_none_breaks_the_connection() -> None:
    parsed = parse(frame(b"a:1|c") + b"\x00\x00\x01\x00rest")
    assert len(parsed.batch) == 1
    assert parsed.broken
    assert parsed.rejects.counts[Reason.FRAME] == 1


def test_a_frame_whose_end_never_comes_is_counted() -> None:
    parsed = parse(frame(b"a:1|c")[:-1], final=True)
    assert parsed.rejects.counts[Reason.TRUNCATED] == parsed.lines == 1


def test_a_frame_on_tcp_is_a_line_that_is_bad() -> None:
    assert len(parse(frame(b"a:1|c"), framed=False, final=True).batch) == 1  # its length is cleaned away
    assert parse(frame(b"a:1|c"), framed=False).consumed == 0


def test_listeners_say_how_to_read() -> None:
    lenient = StatsdParser.configured(Listener(protocol="statsd", address="tcp://127.0.0.1:0", strict=False))
    assert lenient.lenient
    assert not lenient.framed
    assert StatsdParser.configured(Listener(protocol="statsd", address="unixstream:///run/x")).framed
    assert Listener(protocol="statsd", address="unix:///run/x").endpoint.datagrams
    assert not Listener(protocol="carbon", address="unix:///run/x").endpoint.datagrams
