"""A bad line over TCP costs only itself, and the ledger says why and shows it."""

import socket
import time
from pathlib import Path

import pytest
from balances import Balances

from servers import START_S_MAX, Server, finish, wait_until

pytestmark = pytest.mark.timeout(START_S_MAX + 60)

NOW = str(int(time.time()))
AHEAD = str(int(time.time()) + 7200)
MIB = 1 << 20

# What is sent (without its newline), the reason it is rejected for, and what the ledger shows of it.
BAD_LINES = {
    "two fields": (b"truncated.level 1", "fields", "truncated.level 1"),
    "four fields": (f"a 1 {NOW} x".encode(), "fields", f"a 1 {NOW} x"),
    "binary": (bytes(range(1, 10)) + b"\x80\xff\xfe\x00", "fields", "\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08\\t"),
    "a pickle": (
        b"\x80\x02]q\x00(U\x03a.bq\x01K\x01K\x02\x86q\x02\x86q\x03a.",
        "fields",
        "\\x80\\x02]q\\x00(U\\x03a.b",
    ),
    "64 KiB": (b"long." * 13_107 + f"x 1 {NOW}".encode(), "line_long", "long.long.long."),
    "nan": (f"a.nan nan {NOW}".encode(), "value_not_finite", f"a.nan nan {NOW}"),
    "inf": (f"a.inf -inf {NOW}".encode(), "value_not_finite", f"a.inf -inf {NOW}"),
    "overflow": (f"a.huge 1e999 {NOW}".encode(), "value_not_finite", "1e999"),
    "no number": (f"a.word many {NOW}".encode(), "value", f"a.word many {NOW}"),
    "no timestamp": (b"a.noon 1 noon", "timestamp", "a.noon 1 noon"),
    "no name": (f" 1 {NOW}".encode(), "fields", f"1 {NOW}"),
    "nothing but dots": (f"... 1 {NOW}".encode(), "name_empty", "..."),
    "nothing before the tags": (f";a=b 1 {NOW}".encode(), "name_empty", ";a=b"),
    "a tag without a value": (f"a;b 1 {NOW}".encode(), "tag", "a;b"),
    "control character": (f"a\x07b 1 {NOW}".encode(), "name_bytes", f"a\\x07b 1 {NOW}"),
    "not UTF-8": (b"caf\xe9 1 " + NOW.encode(), "name_bytes", f"caf\\xe9 1 {NOW}"),
    "a long name": (b"n" * 1025 + f" 1 {NOW}".encode(), "name_long", "nnnnnnnn"),
    "the future": (f"a.future 1 {AHEAD}".encode(), "future", f"a.future at {AHEAD}"),
    "1970": (b"a.past 1 0", "past", "a.past at 0"),
}


@pytest.mark.parametrize("line, reason, shown", BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_costs_only_itself(shared_server: Server, line: bytes, reason: str, shown: str) -> None:
    balances = Balances(shared_server, "carbon tcp")
    shared_server.send(f"among.bad.before 1 {NOW}", line, f"among.bad.after 2 {NOW}")
    assert balances.change() == {"received": 3, "stored": 2, "rejected": {reason: 1}, "in_flight": 0}
    assert shown in shared_server.offenders(reason)[0]


def test_what_was_rejected_is_shown_in_short_and_as_harmless_text(shared_server: Server) -> None:
    shared_server.send("<script>\x1b[31m\u202e " + 1000 * "x")
    text = shared_server.offenders("fields")[0]
    assert text.startswith("<script>\\x1b[31m\\u202e xxx")
    assert len(text) < 300
    assert text.isprintable()


def test_a_sender_that_goes_away_in_mid_line_loses_that_line(shared_server: Server) -> None:
    balances = Balances(shared_server, "carbon tcp")
    with shared_server.connect() as connection:
        connection.sendall(f"gone.whole 1 {NOW}\ngone.half 2 17".encode())
        finish(connection)
    balances.wait_for(stored=1, rejected={"truncated": 1})
    assert shared_server.offenders("truncated")[0] == "gone.half 2 17"
    assert shared_server.values("gone.half") == []


def test_a_sender_that_resets_its_connection_loses_that_line(shared_server: Server) -> None:
    balances = Balances(shared_server, "carbon tcp")
    connection = shared_server.connect()
    connection.sendall(f"reset.whole 1 {NOW}\nreset.half".encode())
    wait_until(lambda: shared_server.values("reset.whole"), "reset.whole")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() resets
    connection.close()
    balances.wait_for(stored=1, rejected={"truncated": 1})


def test_a_line_that_never_ends_takes_no_memory_and_holds_up_nobody(shared_server: Server) -> None:
    balances = Balances(shared_server, "carbon tcp")
    before = _resident_bytes(shared_server)
    piece = b"endless" * (MIB // 7)
    with shared_server.connect() as endless:
        for k in range(32):
            endless.sendall(piece)
            if k % 8 == 0:
                shared_server.send(f"meanwhile.level {k} {NOW}")
        balances.wait_for(stored=4, rejected={"line_long": 1})
        assert _resident_bytes(shared_server) - before < 16 * MIB
        endless.sendall(f"\nafter.endless 5 {NOW}\n".encode())
        finish(endless)
    balances.wait_for(stored=5, rejected={"line_long": 1})
    assert shared_server.offenders("line_long")[0].startswith("endlessendless")


def test_five_hundred_connections_with_half_lines_are_each_understood(shared_server: Server) -> None:
    balances = Balances(shared_server, "carbon tcp")
    connections = [shared_server.connect() for _ in range(500)]
    pieces = [(f"crowd.n{k} {k} {NOW}\ncrowd.m", f"{k} {k} {NOW}\n") for k in range(500)]
    for part in (0, 1):
        for connection, piece in zip(connections, pieces, strict=True):
            connection.sendall(piece[part].encode())
    for connection in connections:
        finish(connection)
        connection.close()
    balances.wait_for(stored=1000, rejected={})
    expected = {f"crowd.{letter}{k}": [float(k)] for letter in "nm" for k in range(500)}
    assert {name: list(v.values()) for name, v in shared_server.render("crowd.*").items()} == expected


def _resident_bytes(server: Server) -> int:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))
