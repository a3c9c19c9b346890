"""Both stores keep the contract."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tallystick.model.clock import Clock
from tallystick.model.retention import AggregationRule, RetentionRule
from tallystick.store.conformance.suite import KeepingStoreConformance, StoreConformance
from tallystick.store.contract import Store
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.memory import MemoryStore
from tallystick.store.options import StoreOptions


class TestEmbeddedStore(KeepingStoreConformance):
    @contextmanager
    def opened(
        self,
        directory: Path,
        rules: Sequence[RetentionRule],
        clock: Clock,
        aggregation: Sequence[AggregationRule] = (),
    ) -> Iterator[Store]:
        options = StoreOptions(commit_interval_s=0.001)
        store = EmbeddedStore(directory, rules, clock, options, aggregation=aggregation)
        try:
            yield store
        finally:
            store.close()

    def settle(self, store: Store) -> None:
        assert isinstance(store, EmbeddedStore)
        store.maintenance.seal()
        store.maintenance.compact()


class TestMemoryStore(StoreConformance):
    @contextmanager
    def opened(
        self,
        directory: Path,
        rules: Sequence[RetentionRule],
        clock: Clock,
        aggregation: Sequence[AggregationRule] = (),
    ) -> Iterator[Store]:
        yield MemoryStore(rules, clock, aggregation=aggregation)
