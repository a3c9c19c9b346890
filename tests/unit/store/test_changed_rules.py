"""What a change of the retention rules makes of blocks."""

from pathlib import Path

from stores import opened, put
from tallystick.model.retention import Retention, RetentionRule


def test_rules_that_are_never_reached_make_no_block_stale(tmp_path: Path):
    rule = RetentionRule("*", Retention.parse("10s:6h,1m:12h"))
    behind = RetentionRule("a.*", Retention.parse("1m:12h"))
    with opened(tmp_path, rules=(rule,)) as store:
        put(store, "a.b", {0: 1.0})
        store.maintenance.seal()
    with opened(tmp_path, rules=(rule, behind, rule)) as store:
        assert [entry.stale for entry in store.block_set.manifest.blocks] == [False]
