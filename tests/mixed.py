"""Mixed load: every registered protocol sends at once over its real door, while others misbehave and the server dies.

A round: senders of all protocols send what `bench.loads` makes; meanwhile garbage and floods of new names come in by
the same doors from another address, connections end in mid-message, bodies in mid-body. At rest the ledger must
balance for each source, and say of each good sender that all that it generated is stored. Then the server is killed,
and what its store holds on disk must be what was generated in all rounds.

``make soak`` does this for ``MIXED_S`` seconds; ``tests/e2e/test_mixed_load.py`` does two rounds.
"""

import contextlib
import os
import random
import re
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cramjam
import httpx2
import numpy as np
from bench.loads import payloads_of

from servers import Server, running_server, wait_until
from tallystick.config import PROTOCOLS
from tallystick.model.statistic import Statistic
from tallystick.parse import NameTable, padded, protocols
from tallystick.store.view import StoreView
from tallystick.web.writes import collectd

SERIES = 100
SAMPLES = 400
"""Of each protocol and round."""
AT_ONCE = 8
"""Datagrams that are sent before the ledger is asked whether they came."""

FLOOD = "flood."
CHAOS = ("127.0.0.2", 0)
"""Where those who misbehave come from: new names are held back by peer."""
_PAST_S = 7200


@dataclass(frozen=True)
class Post:
    """How a protocol is sent over HTTP."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)
    encode: Callable[[bytes], bytes] = bytes


def _snappy(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(body))


_PROTOBUF = "application/x-protobuf"
POSTS = {
    "collectd-http": Post(collectd.PATH, {"content-type": "application/json"}),
    "exposition": Post("/metrics/job/mixed", {"content-type": "text/plain; version=0.0.4"}),
    "openmetrics": Post("/metrics/job/mixed", {"content-type": "application/openmetrics-text; version=1.0.0"}),
    "opentsdb-json": Post("/api/put", {"content-type": "application/json"}),
    "otlp": Post("/v1/metrics", {"content-type": _PROTOBUF}),
    "otlp-json": Post("/v1/metrics", {"content-type": "application/json"}),
    "remote-write": Post("/api/v1/write", {"content-type": _PROTOBUF, "content-encoding": "snappy"}, _snappy),
    "remote-write-2": Post(
        "/api/v1/write",
        {"content-type": f"{_PROTOBUF};proto=io.prometheus.write.v2.Request", "content-encoding": "snappy"},
        _snappy,
    ),
}
"""Protocols that have no listener; a test holds this to what is registered."""


def scheme_of(protocol: str) -> str:
    return "tcp" if "tcp" in PROTOCOLS[protocol] and protocol != "statsd" else "udp"


def config() -> str:
    """A door for each protocol that has listeners."""
    doors = [(name, scheme_of(name)) for name in PROTOCOLS]
    return "".join(f'[[listeners]]\nprotocol = "{p}"\naddress = "{s}://127.0.0.1:0"\n' for p, s in doors)


class Mixed:
    """A server and what was sent to it.

    Parameters
    ----------
    seed
        Of everything that is left to chance.
    """

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.chance = random.Random(seed)
        self.generated = 0.0
        """Samples of good senders in all rounds, weighted as the store counts them."""
        self.rounds = 0

    def round(self) -> None:
        """Send, look at the ledger, kill, look at the store, start again."""
        before = self._stored()
        loads = {name: self._load(name) for name in protocols()}
        over = threading.Event()
        others = [threading.Thread(target=self._misbehave, args=(over, self.chance.random())) for _ in range(2)]
        failures: list[BaseException] = []
        good = [threading.Thread(target=self._caught, args=(failures, name, loads[name])) for name in loads]
        for thread in (*others, *good):
            thread.start()
        for thread in good:
            thread.join()
        over.set()
        for thread in others:
            thread.join()
        if failures:
            raise failures[0]
        wanted: dict[str, int] = {}
        for name, pieces in loads.items():
            rows, weight = weigh(name, pieces)
            wanted[self._source(name)] = wanted.get(self._source(name), 0) + rows
            self.generated += weight
        self._balance(before, wanted)
        self.server.wait_until_safe()
        self.server.kill()
        held = self.held()
        assert held == self.generated, f"generated {self.generated}, the store holds {held}"
        self.server.start()
        self.rounds += 1

    def held(self) -> float:
        """Samples that the store's directory holds of good senders, read without the server."""
        view = StoreView(self.server.root / "data")
        ids = view.catalog.ids()
        names = view.catalog.names(ids)
        good = np.array([not name.startswith(("tallystick.", FLOOD)) for name in names], np.bool_)
        until_s = (int(time.time()) + 60) // 10 * 10
        counts = view.read(ids[good], until_s - _PAST_S, until_s, 10, (Statistic.COUNT,))[Statistic.COUNT]
        return float(np.nansum(counts))

    def _load(self, name: str) -> list[bytes]:
        payloads = payloads_of(name)
        assert payloads is not None
        pieces = payloads(SERIES, SAMPLES, self.chance.randrange(1 << 20))
        # Its counters and timings have the names of other senders' gauges.
        return [re.sub(rb"(?m)^(?=.)", b"statsd.", piece) for piece in pieces] if name == "statsd" else pieces

    def _caught(self, failures: list[BaseException], name: str, pieces: list[bytes]) -> None:
        try:
            self.send(name, pieces)
        except BaseException as error:  # told by whoever waits for the thread
            failures.append(error)

    def send(self, name: str, pieces: list[bytes]) -> None:
        """Send as a good sender: all of it, once."""
        if name in POSTS:
            post = POSTS[name]
            for piece in pieces:
                method = "PUT" if post.path.startswith("/metrics/") else "POST"
                answer = httpx2.request(
                    method, self.server.url + post.path, content=post.encode(piece), headers=post.headers, timeout=30
                )
                assert answer.is_success, f"{name}: {answer.status_code} {answer.text[:300]}"
        elif scheme_of(name) == "tcp":
            with socket.create_connection(self._address(name), timeout=30) as connection:
                connection.sendall(b"".join(pieces))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
        else:
            self._send_datagrams(name, pieces)

    def _send_datagrams(self, name: str, pieces: list[bytes]) -> None:
        """Never more than the socket's buffer surely holds: nothing may be lost, or nothing could be told of it."""
        source, before = self._source(name), self._received(self._source(name))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for first in range(0, len(pieces), AT_ONCE):
                for piece in pieces[first : first + AT_ONCE]:
                    sender.sendto(piece, self._address(name))
                wanted = before + weigh(name, pieces[: first + AT_ONCE])[0]
                wait_until(lambda w=wanted: self._received(source) >= w, f"{name} to have been received")

    def _misbehave(self, over: threading.Event, seed: float) -> None:
        """Garbage, new names, connections that end in mid-message, bodies that end early, until it is over."""
        chance = random.Random(seed)
        while not over.is_set():
            turn = chance.choice((self._garbage, self._flood, self._cut, self._half_body))
            turn(chance)
            over.wait(0.02)

    def _garbage(self, chance: random.Random) -> None:
        name = chance.choice(sorted(PROTOCOLS))
        noise = chance.randbytes(chance.randrange(1, 4000)).replace(b"\n", b"\x00\n")
        self._throw(name, noise)

    def _flood(self, chance: random.Random) -> None:
        lines = b"".join(b"flood.x%d 1 %d\n" % (chance.getrandbits(60), time.time()) for _ in range(200))
        self._throw("carbon", lines)

    def _cut(self, chance: random.Random) -> None:
        line = b"flood.cut 1 %d\n" % time.time()
        self._throw("carbon", line * 20 + line[: chance.randrange(1, len(line))])

    def _half_body(self, chance: random.Random) -> None:
        path = chance.choice(list(POSTS.values())).path
        host = self.server.url.removeprefix("http://")
        with socket.create_connection((host.partition(":")[0], int(host.rpartition(":")[2])), 30, CHAOS) as web:
            web.sendall(f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5000\r\n\r\nxx".encode())

    def _throw(self, name: str, data: bytes) -> None:
        """Send without asking what became of it; the connection may end as it likes."""
        if scheme_of(name) == "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind(CHAOS)
                sender.sendto(data[:1400], self._address(name))
            return
        with socket.create_connection(self._address(name), 30, CHAOS) as connection, contextlib.suppress(OSError):
            connection.sendall(data)

    def _address(self, name: str) -> tuple[str, int]:
        return "127.0.0.1", self.server.port(f"{name} {scheme_of(name)}")

    def _source(self, name: str) -> str:
        if name in POSTS:
            return "http " + ("/metrics/job" if name in ("exposition", "openmetrics") else POSTS[name].path)
        return f"{name} {scheme_of(name)}://{self.server.doors[f'{name} {scheme_of(name)}']}"

    def _sources(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.server.get("/ledger")["sources"]
        return found

    def _stored(self) -> dict[str, int]:
        return {balance["source"]: balance["stored"] for balance in self._sources()}

    def _received(self, source: str) -> int:
        return sum(balance["received"] for balance in self._sources() if balance["source"] == source)

    def _balance(self, before: dict[str, int], wanted: dict[str, int]) -> None:
        """Every source balances, with nothing in flight; good senders' samples are all stored."""

        def at_rest() -> bool:
            return all(balance["in_flight"] == 0 for balance in self._sources())

        wait_until(at_rest, "nothing to be in flight", told=self._sources)
        for balance in self._sources():
            assert balance["received"] == balance["stored"] + sum(balance["rejected"].values()), balance
            assert balance["kernel_drops"] == 0, balance
        assert any(balance["rejected"] for balance in self._sources()), "nobody misbehaved"
        stored = self._stored()
        for source, rows in wanted.items():
            found = stored.get(source, 0) - before.get(source, 0)
            told = f"{source}: {rows} samples were generated, {found} are stored; {self._sources()}"
            assert found >= rows if source.startswith("carbon tcp") else found == rows, told  # floods come there, too


def weigh(name: str, pieces: list[bytes]) -> tuple[int, float]:
    """How many samples the pieces are, and how many the store counts: a sampled one counts for several."""
    parser, names, rows, weight = protocols()[name](), NameTable(), 0, 0.0
    for piece in [b"".join(pieces)] if name in PROTOCOLS and scheme_of(name) == "tcp" else pieces:
        parsed = (
            parser.parse_datagrams(
                padded(piece), np.zeros(1, np.int64), np.array([len(piece)], np.int32), names, int(time.time() * 1000)
            )
            if name in PROTOCOLS and scheme_of(name) == "udp"
            else parser.parse(padded(piece), len(piece), names, int(time.time() * 1000), final=True)
        )
        rows += parsed.taken
        weight += float(parsed.batch.weight.sum())
        if parsed.tallies is not None:
            weight += float(parsed.tallies.spread.count.sum())
    return rows, weight


@contextmanager
def mixed_load(root: Path, seed: int) -> Iterator[Mixed]:
    """A server with all doors, and nothing sent yet."""
    with running_server(root, config()) as server:
        yield Mixed(server, seed)


def main() -> int:
    """Rounds until the time is over."""
    lasts_s = float(os.environ.get("MIXED_S", "3600"))
    seed = int(os.environ.get("SOAK_SEED", time.time_ns() // 1_000_000_000))
    print(f"mixed load for {lasts_s:.0f} s, seed {seed} (again: SOAK_SEED={seed})", flush=True)
    over = time.monotonic() + lasts_s
    with (
        tempfile.TemporaryDirectory(prefix="tallystick-mixed-") as directory,
        mixed_load(Path(directory), seed) as load,
    ):
        while time.monotonic() < over:
            load.round()
            print(f"{load.rounds} rounds and kills, {load.generated:.0f} samples: all there", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
