"""The router's tables against the rules themselves: whatever comes, in whatever order, rows go where the rules say."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tallystick.config import Rule
from tallystick.kernels.names import NameTable
from tallystick.ledger.attribution import Senders
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.native.names import Place
from tallystick.route import Facts, Naming, Router
from tallystick.route.explain import series_of
from tallystick.store.names.catalog import SeriesCatalog

HERE = Place("prod", "stats", "stats1")
SENDERS = (
    ("carbon tcp://x:2003", "10.0.0.1"),
    ("statsd udp://x:8125", "10.0.0.1"),
    ("statsd udp://x:8125", "10.0.0.2"),
)
KINDS = (Kind.GAUGE, Kind.COUNTER, Kind.TIMING)
RULES = {
    "none": (),
    "rewrite": (Rule(rewrite=r"^(\w+)\. -> \1.\1."), Rule(match="b.*", block=True)),
    "by peer": (Rule(source=("statsd",), prefix="{peer}"), Rule(match="*.c.*", stop=True), Rule(prefix="p")),
    "by protocol": (Rule(source=("statsd",), block=True, match="a.*"),),
    "by kind": (Rule(prefix="{type}"), Rule(kinds=("timing",), multiplex=("all.{sent}",))),
    "multiplex": (Rule(multiplex=("x.{name}", "y.{name}")), Rule(match="y.b.*", block=True)),
    "aggregate": (
        Rule(aggregate="sum.<what> (10) = sum <<of>>.<what>"),
        Rule(aggregate="a.only (10) = max a.<x>.counter", keep=False),
    ),
}
names = st.tuples(st.sampled_from("abc"), st.sampled_from("de"), st.sampled_from(KINDS))
"""Names tell their kind, so that none is a series of two."""


class RulesRouted(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.names, self.catalog = NameTable(), SeriesCatalog()
        self.router = Router(self.names, self.catalog.create, (), HERE)
        self.router.useless_min = 0
        self.router.told_by(lambda account: SENDERS[account])
        self.naming = Naming((), HERE)

    @rule(sent=st.lists(names, min_size=1, max_size=10), sender=st.integers(0, len(SENDERS) - 1))
    def a_batch_comes(self, sent: Sequence[tuple[str, str, Kind]], sender: int) -> None:
        texts = [f"{a}.{b}.{kind.name.lower()}" for a, b, kind in sent]
        kinds = np.array([kind for _, _, kind in sent], np.uint8)
        expected: Counter[str] = Counter()
        for text, (_, _, kind) in zip(texts, sent, strict=True):
            expected.update(series_of(self.naming.decide(text, Facts(*SENDERS[sender], kind))))
        assert self._routed(texts, kinds, sender) == expected

    def _routed(self, texts: Sequence[str], kinds: np.ndarray, sender: int) -> Counter[str]:
        """Where rows with these names went."""
        ids = self.names.intern_many([text.encode() for text in texts])
        if self.router.watchful:
            ids, refused = self.router.discern(ids, kinds, Senders.one(sender, len(ids)))
            assert refused is None
        batch = SampleBatch.of(ids, np.zeros(len(ids), np.int64), np.zeros(len(ids)), kind=kinds)
        if self.router.multiplies:
            self.router.settle(batch)
            found = self.router.multiplied(ids)
            rows = np.concatenate([np.arange(len(ids)), found.rows])
            batch = batch.take(rows).with_ids(np.concatenate([ids, found.entries]))
        return Counter(self.catalog.names(self.router.route(batch).batch.ids))

    @rule(which=st.sampled_from(sorted(RULES)))
    def other_rules_are_followed(self, which: str) -> None:
        self.router.follow(RULES[which])
        self.naming = Naming(RULES[which], HERE)

    @rule()
    def the_table_is_made_anew(self) -> None:
        self.router.rebuild()

    @rule()
    def senders_get_other_numbers(self) -> None:
        self.router.forget_senders()

    @precondition(lambda self: len(self.catalog))
    @rule(data=st.data())
    def series_are_forgotten(self, data: st.DataObject) -> None:
        gone = np.array([data.draw(st.sampled_from(self.catalog.ids().tolist()))], np.int32)
        self.catalog.forget(gone)
        self.router.forget(gone)


TestRulesRouted = RulesRouted.TestCase
TestRulesRouted.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
