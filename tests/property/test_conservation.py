"""The conservation law under random streams, faults, floods and forgotten series: every account adds up, always."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tallystick.config import Rule
from tallystick.kernels.packed import padded
from tallystick.ledger import Balance, Ledger
from tallystick.ledger.invariants import broken_laws
from tallystick.ledger.prefixes import prefix_of
from tallystick.ledger.terms import COLUMNS, LATE, MADE, PARSED, RECEIVED, REJECTED, STORED
from tallystick.model.clock import ManualClock
from tallystick.model.errors import StoreError
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.model.sample import SampleBatch
from tallystick.parse import NameTable, protocols
from tallystick.receive import Intake, IntakeLimits
from tallystick.receive.throttle import Throttle
from tallystick.route import Router
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_000
PEERS = ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4")
PEERS_MAX = 3
PREFIXES_MAX = 4
NAMES = (*(f"host{k}.cpu.user" for k in range(6)), "alone", "test.blocked.a", "tagged.load;b=1;a=2", "old.name")
BURST = 8
RENAMING = (Rule(match="test.blocked.*", block=True), Rule(match="old.*", rewrite="^old -> new.place"))
MULTIPLYING = (
    *RENAMING,
    Rule(match="host*", multiplex=("apps.{sent}",)),
    Rule(aggregate="hosts.all.user (10) = sum host*.cpu.user"),
    Rule(aggregate="kept.nowhere.else (10) = p95 alone", keep=False),
)
DISCERNING = (
    Rule(source=("statsd 10.0.0.1",), prefix="from.first"),
    Rule(match="host2.*", kinds=("gauge",), block=True),
)
RULES = {"none": (), "renaming": RENAMING, "multiplying": MULTIPLYING, "all": (*DISCERNING, *MULTIPLYING)}

Key = tuple[str, str, str, int]
"""Source, peer, prefix and window."""


class FragileStore(MemoryStore):
    """Refuses when told to."""

    full = False

    def append(self, batch: SampleBatch, *more: Any) -> int:
        if self.full:
            raise StoreError("cannot take samples: No space left on device")
        return super().append(batch, *more)


names = st.sampled_from(NAMES)
ages = st.sampled_from([0, 0, 0, 40, -5000, 100_000])
"""Seconds: fresh, late, too far ahead, too old."""
lines = st.lists(st.one_of(st.tuples(names, ages), st.just(None)), max_size=12)
"""Lines of a name and an age, or one that cannot be read."""


class Conservation(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(float(NOW_S))
        self.store = FragileStore()
        self.ledger = Ledger(self.clock, prefixes_max=PREFIXES_MAX, peers_max=PEERS_MAX, windows_max=1000)
        self.names = NameTable()
        self.router = Router(self.names, self.store.create, RENAMING)
        limits, throttle = IntakeLimits(3600, 86_400), Throttle(2, BURST)
        self.intake = Intake(self.names, self.router, self.store, self.ledger, self.clock, limits, throttle)
        self.store.when_forgotten(self.intake.forget)
        self.carbon, self.statsd = protocols()["carbon"](), protocols()["statsd"]()
        self.received: Counter[Key] = Counter()
        self.generated = 0

    @rule(peer=st.sampled_from(PEERS), text=lines)
    def a_stream_brings_lines(self, peer: str, text: Sequence[tuple[str, int] | None]) -> None:
        now = int(self.clock.now())
        found = ["broken" if one is None else f"{one[0]} 1 {now - one[1]}" for one in text]
        encoded = "".join(f"{one}\n" for one in found).encode()
        account = self.ledger.account("carbon", peer)
        self.intake.parse_stream(self.carbon, padded(encoded), len(encoded), account, skipping=False, final=True)
        self._expect("carbon", account.peer, len(text))

    @rule(datagrams=st.lists(st.tuples(st.sampled_from(PEERS), lines), min_size=1, max_size=8))
    def datagrams_of_several_peers_come(self, datagrams: list[tuple[str, list[tuple[str, int] | None]]]) -> None:
        texts = [
            b"\n".join(b"bad" if one is None else f"{one[0]}:1|c".encode() for one in text) for _, text in datagrams
        ]
        accounts = [self.ledger.account("statsd", peer) for peer, _ in datagrams]
        lengths = np.array([len(text) for text in texts], np.int32)
        offsets = np.concatenate([[0], np.cumsum(lengths[:-1] + 1)]).astype(np.int64)
        buffer = padded(b"\n".join(texts))
        peers = np.array([account.number for account in accounts], np.int32)
        self.intake.parse_datagrams(self.statsd, buffer, offsets, lengths, self.ledger.account("statsd"), peers)
        for account, (_, text) in zip(accounts, datagrams, strict=True):
            self._expect("statsd", account.peer, len(text))

    @rule(count=st.integers(1, 9))
    def points_of_our_own_come(self, count: int) -> None:
        account = self.ledger.account("own")
        ids = np.arange(count, dtype=np.int32)
        batch = SampleBatch.of(ids, np.full(count, int(self.clock.now() * 1000)), np.ones(count), kind=Kind.GAUGE)
        self.intake.take([f"own.point.n{k}".encode() for k in range(count)], batch, account)
        self._expect("own", "", count)

    @rule(text=st.binary(max_size=50))
    def something_is_refused_at_the_door(self, text: bytes) -> None:
        account = self.ledger.account("carbon", PEERS[0])
        self.intake.reject(account, Reason.TRUNCATED, text)
        self._expect("carbon", account.peer, 1)

    @rule(samples=st.integers(0, 5))
    def a_numbered_sender_tells_what_it_made(self, samples: int) -> None:
        self.ledger.account("carbon", PEERS[0]).generated(samples)
        self.generated += samples

    @rule(full=st.booleans())
    def the_disk_is_full_or_not(self, full: bool) -> None:
        self.store.full = full

    @rule(seconds=st.sampled_from([1.0, 7.0, 30.0, 400.0, -35.0]))
    def time_passes_or_is_set_back(self, seconds: float) -> None:
        if seconds > 0:
            self.clock.advance(seconds)
        else:
            self.clock.jump(seconds)

    @rule(seconds=st.sampled_from([0.0, 75.0, 400.0]))
    def who_fell_silent_gives_way(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.intake.make_room()
        for source, peer, prefix, window in list(self.received):
            if peer not in {"", *(balance.peer for balance in self.ledger.peers(source))}:
                self.received[source, "other", prefix, window] += self.received.pop((source, peer, prefix, window))

    @precondition(lambda self: len(self.store.catalog))
    @rule(data=st.data())
    def a_series_is_deleted(self, data: st.DataObject) -> None:
        self.store.delete(np.array([data.draw(st.sampled_from(self.store.catalog.ids().tolist()))], np.int32))

    @rule(which=st.sampled_from(sorted(RULES)))
    def other_rules_are_given(self, which: str) -> None:
        self.router.follow(RULES[which])

    @rule()
    def the_table_of_names_is_made_anew(self) -> None:
        self.router.rebuild()

    def _expect(self, source: str, peer: str, lines: int) -> None:
        self.received[source, peer, "", self.ledger.window()] += lines

    @invariant()
    def no_law_is_broken(self) -> None:
        assert broken_laws(self.ledger) == []

    @invariant()
    def nothing_is_in_flight_when_nobody_sends(self) -> None:
        for balance in self._all():
            assert balance.in_flight == 0, balance

    @invariant()
    def each_source_has_received_what_was_sent_to_it(self) -> None:
        sent: Counter[str] = Counter()
        by_peer: Counter[tuple[str, str]] = Counter()
        for (source, peer, _, _), count in self.received.items():
            sent[source] += count
            by_peer[source, peer] += count
        for balance in self.ledger.balances():
            assert balance.received == sent[balance.source]
            peers = self.ledger.peers(balance.source)
            assert {p.peer: p.received for p in peers if p.received} == {
                peer: count for (source, peer), count in by_peer.items() if source == balance.source and count
            }
            assert sum(p.generated for p in peers) == balance.generated

    @invariant()
    def peers_and_prefixes_add_up_to_their_source(self) -> None:
        for balance in self.ledger.balances():
            for parts in (self.ledger.peers(balance.source), self.ledger.by_prefix(balance.source)):
                assert _added(parts) == _added([balance]), balance.source

    @invariant()
    def windows_in_memory_add_up_by_themselves(self) -> None:
        book = self.ledger.book
        for number in self.ledger.windows():
            cells = book.windows.window(number, book.cells)
            assert cells.shape[1] == COLUMNS
            assert (cells[:, RECEIVED] + cells[:, MADE] == cells[:, STORED] + cells[:, REJECTED:].sum(axis=1)).all()
            assert (cells[:, PARSED] <= cells[:, RECEIVED]).all()
            assert (cells[:, LATE] <= cells[:, STORED]).all()
            for source in range(len(book.sources)):
                expected = sum(
                    count
                    for (name, _, _, window), count in self.received.items()
                    if name == book.sources[source] and window == number
                )
                assert cells[book.source_of == source, RECEIVED].sum() == expected

    @invariant()
    def no_more_is_told_apart_than_was_asked_for(self) -> None:
        known = {prefix_of(name, 2) for name in NAMES} | {f"apps.{name.split('.')[0]}" for name in NAMES}
        known |= {"own.point", "other", "", "new.place", "hosts.all", "kept.nowhere", "from.first"}
        found = {balance.prefix for balance in self.ledger.by_prefix()}
        assert found <= known
        assert len(found - {"", "other"}) <= PREFIXES_MAX
        assert len({p.peer for p in self.ledger.peers("statsd")} - {"", "other"}) <= PEERS_MAX

    def _all(self) -> list[Balance]:
        found = [*self.ledger.balances(), *self.ledger.by_prefix()]
        return found + [peer for balance in self.ledger.balances() for peer in self.ledger.peers(balance.source)]


def _added(balances: Sequence[Balance]) -> tuple[int, ...]:
    rejected: Counter[str] = Counter()
    for balance in balances:
        rejected.update(balance.rejected)
    columns = ("received_bytes", "received", "made", "parsed", "stored", "late", "kernel_drops", "generated")
    return (*(sum(getattr(b, column) for b in balances) for column in columns), *sorted(rejected.items()))


TestConservation = Conservation.TestCase
TestConservation.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
