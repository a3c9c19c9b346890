"""`Mixed`: a server, all that was sent to it, and the rounds that are played with both."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mixed.held import Held
from mixed.loads import FLOOD, NUMBERED, Part, part_of, scheme_of
from mixed.senders import HOST, PATIENCE_S, Sender
from mixed.trouble import Trouble
from servers import Server, running_server, wait_until
from tallystick.config import PROTOCOLS
from tallystick.model.address import Address
from tallystick.model.kind import Kind
from tallystick.native.client import NativeClient
from tallystick.native.messages import Slot
from tallystick.parse import protocols

PARTS = 4
"""That each protocol sends in a round at rest, or has to choose from in one that ends in mid-load."""
NUMBERED_SERIES = 50
STORM_S = (0.3, 3.0)
"""How long the senders of a round send before the server ends, from the first acknowledgement on: from, to."""
_PAST_S = 3600
_CONFIG = """
[limits]
names_per_s = 10
names_burst = 2000
"""


def config() -> str:
    """A door for each protocol that has listeners, and room for fewer new names than the floods bring."""
    doors = [(name, scheme_of(name)) for name in PROTOCOLS]
    return _CONFIG + "".join(f'[[listeners]]\nprotocol = "{p}"\naddress = "{s}://127.0.0.1:0"\n' for p, s in doors)


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
        self.rounds = 0
        self.expected: Counter[str] = Counter()
        """Samples that good senders have in the store, as it counts them."""
        self._since_s = time.time() - _PAST_S
        self._held = Held(Counter(), {}, 0, 0)
        address = Address("tcp", "127.0.0.1", server.port("native tcp"))
        self._agent = NativeClient(address, "mixed", f"seed{seed}")
        self._agent.start()

    def killed_at_rest(self) -> str:
        """All that was sent is counted and stored, to the sample; then a kill takes nothing of it."""
        began_s, before, parts = time.monotonic(), self._stored(), self._parts()
        senders, trouble = self._senders(), Trouble(self.server, self.chance)
        trouble.start()
        given = self._offer_numbered()
        self._run(senders, lambda sender: sender.send_all(parts[sender.protocol]))
        trouble.stop()
        self._wait_for_agent()
        wanted = Counter({self._numbered_source: given})
        for sender in senders:
            wanted[sender.source] += sum(part.rows for part in parts[sender.protocol])
            self.expected[sender.protocol] += sender.offered
        self._balance(before, wanted)
        self.server.wait_until_safe(PATIENCE_S)
        told = self._told_alive()
        self.server.kill()
        held = self._look()
        assert self._of_good(held) == self.expected, f"expected {self.expected}, the store holds {held.samples}"
        return self._restarted("killed at rest", began_s, told)

    def killed_in_mid_load(self) -> str:
        """What was acknowledged is there once, and nothing that nobody sent."""
        began_s = time.monotonic()
        senders, told = self._storm(self.server.kill)
        self._within_bounds(senders, self._look())
        return self._restarted("killed in mid-load", began_s, told)

    def stopped_in_mid_load(self) -> str:
        """The same; and what the ledger wrote of that life is what is there, source by source."""
        began_s, before = time.monotonic(), self._held
        senders, told = self._storm(self.server.stop)
        assert self.server.process is not None
        said = self.server.log.read_text()
        assert self.server.process.returncode == 0 and "all that was received is on disk" in said, said
        held = self._look()
        self._within_bounds(senders, held)
        self._booked(before, held, senders)
        return self._restarted("stopped in mid-load", began_s, told)

    def _storm(self, end: Callable[[], None]) -> tuple[list[Sender], str]:
        """Have all send as fast as they can, and end the server among them."""
        parts, senders, trouble = self._parts(), self._senders(), Trouble(self.server, self.chance)
        over, dying = threading.Event(), threading.Event()
        told = ""

        def end_it() -> None:
            nonlocal told
            try:
                wait_until(lambda: any(s.taken for s in senders), "the first acknowledgement", wait_s=PATIENCE_S)
                over.wait(self.chance.uniform(*STORM_S))
                self._offer_numbered()
                told = self._told_alive()
                over.wait(self.chance.uniform(0, 0.3))  # the agent waits for an answer, or has it
                dying.set()
                trouble.server_dies()
                end()
            finally:
                over.set()

        trouble.start()
        self._offer_numbered()
        self._run(senders, lambda sender: sender.send_until(over, dying, parts[sender.protocol]), end_it)
        trouble.stop()
        return senders, told

    def _within_bounds(self, senders: list[Sender], held: Held) -> None:
        """Acknowledged ≤ stored ≤ offered; what is stored is what is to be found there from now on."""
        found = self._of_good(held)
        for sender in senders:
            more = found[sender.protocol] - self.expected[sender.protocol]
            told = f"{sender.protocol}: {sender.taken} acknowledged, {more} stored, {sender.offered} offered"
            assert sender.taken <= more <= sender.offered, told
        counts = self._agent.counts
        assert counts.acknowledged <= held.samples[NUMBERED] <= counts.given, (counts, held.samples[NUMBERED])
        self.expected = found

    def _booked(self, before: Held, held: Held, senders: list[Sender]) -> None:
        """What came by each door in this life is stored or rejected in the ledger's own series, and stored as said."""
        doors: dict[str, list[str]] = {}
        for sender in senders:
            doors.setdefault(sender.source, []).append(sender.protocol)
        for source, by in doors.items():
            earlier = before.booked(source)
            booked = {word: total - earlier.get(word, 0.0) for word, total in held.booked(source).items()}
            rejected = sum(total for word, total in booked.items() if word.startswith("rejected."))
            received, stored = booked.get("received", 0.0), booked.get("stored", 0.0)
            assert received == stored + rejected, f"{source}: {booked}"
            if {"statsd", "istatd", "native"}.isdisjoint(by):  # one of theirs counts for several in the store
                also = [*by, FLOOD] if by == ["carbon"] else by
                more = sum(held.samples[one] - before.samples[one] for one in also)
                assert stored == more, f"{source}: {booked}, and {more} more are in the store"

    def _balance(self, before: dict[str, int], wanted: "Counter[str]") -> None:
        """Every source balances, with nothing in flight; what good senders sent is all stored."""

        def missing() -> dict[str, int]:
            stored = self._stored()
            return {source: rows - stored.get(source, 0) + before.get(source, 0) for source, rows in wanted.items()}

        def at_rest() -> bool:
            return not any(missing().values()) and all(balance["in_flight"] == 0 for balance in self._sources())

        wait_until(at_rest, "all to be stored", told=lambda: (missing(), self._sources()), wait_s=PATIENCE_S)
        for balance in self._sources():
            assert balance["received"] == balance["stored"] + sum(balance["rejected"].values()), balance
            assert balance["kernel_drops"] == 0, balance
        assert any(balance["rejected"] for balance in self._sources()), "nobody misbehaved"
        problems = self.server.get("/healthz")["problems"]  # one may be that somebody brings too many names
        assert not any("does not add up" in problem for problem in problems), problems

    def _restarted(self, kind: str, began_s: float, told: str) -> str:
        """Start the server again; what the round was like."""
        took_s, held = time.monotonic() - began_s, self._held
        start_s = self.server.start()
        self._wait_for_agent()
        self.rounds += 1
        samples = sum(held.samples.values())
        return (
            f"round {self.rounds}, {kind}: {samples:,.0f} samples, {told}, {held.files} files of "
            f"{held.size_bytes / 1e6:.1f} MB, {took_s:.1f} s, started in {start_s:.1f} s"
        )

    def _told_alive(self) -> str:
        """How the process is."""
        assert self.server.process is not None
        process = Path(f"/proc/{self.server.process.pid}")
        resident = next(line for line in (process / "status").read_text().splitlines() if line.startswith("VmRSS"))
        return (
            f"{int(resident.split()[1]) / 1024:.0f} MB of memory, {len(list((process / 'fd').iterdir()))} descriptors"
        )

    def _look(self) -> Held:
        self._held = Held.on_disk(self.server.root / "data", self._since_s)
        assert not self._held.samples[""], "something is stored that nobody sent"
        return self._held

    @staticmethod
    def _of_good(held: Held) -> "Counter[str]":
        return Counter({sender: count for sender, count in held.samples.items() if sender != FLOOD})

    def _parts(self) -> dict[str, list[Part]]:
        return {name: [part_of(name, self.chance.randrange(1 << 20)) for _ in range(PARTS)] for name in protocols()}

    def _senders(self) -> list[Sender]:
        return [Sender(self.server, name, self.chance.random()) for name in protocols()]

    def _run(
        self, senders: list[Sender], work: Callable[[Sender], None], also: Callable[[], None] | None = None
    ) -> None:
        """Have senders work at the same time; raises what the first of them failed with."""
        failures: list[BaseException] = []

        def caught(call: Callable[[], None]) -> None:
            try:
                call()
            except BaseException as error:  # told by whoever waits for the thread
                failures.append(error)

        calls = [lambda sender=sender: work(sender) for sender in senders]
        threads = [threading.Thread(target=caught, args=(call,)) for call in [*calls, *([also] if also else [])]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _offer_numbered(self) -> int:
        """Give the agent slots of now, as it makes them itself; how many they are."""
        now_ms = int(time.time() * 1000)
        self._agent.offer([Slot(f"{NUMBERED}m{k}", Kind.GAUGE, now_ms, float(k)) for k in range(NUMBERED_SERIES)])
        return NUMBERED_SERIES

    def _wait_for_agent(self) -> None:
        """Wait until all of its batches are acknowledged: each is there once, however often it was sent."""
        assert self._agent.wait_acknowledged(PATIENCE_S)
        self.expected[NUMBERED] = self._agent.counts.given

    @property
    def _numbered_source(self) -> str:
        return f"native tcp://{self.server.doors['native tcp']}"

    def _sources(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.server.get("/ledger")["sources"]
        return found

    def _stored(self) -> dict[str, int]:
        """What is stored of good senders, by source."""
        return {
            balance["source"]: sum(peer["stored"] for peer in balance["peers"] if peer.get("peer") == HOST)
            for balance in self._sources()
        }

    def close(self) -> None:
        """Let the agent go."""
        self._agent.stop(0)


@contextmanager
def mixed_load(root: Path, seed: int) -> Iterator[Mixed]:
    """A server with all doors, and nothing sent yet."""
    with running_server(root, config()) as server:
        load = Mixed(server, seed)
        try:
            yield load
        finally:
            load.close()
