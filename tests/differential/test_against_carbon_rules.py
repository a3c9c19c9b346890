"""Carbon's files of rules, against what carbon 1.1.10 makes of them: ``tools/record_carbon_rules.py`` recorded it."""

import json
import re
from math import ceil, floor
from pathlib import Path
from typing import Any

import pytest

from tallystick.config import Rule
from tallystick.config.carbon_rules import AggregationLine
from tallystick.kernels.packed import padded
from tallystick.ledger import Ledger
from tallystick.ledger.invariants import broken_laws
from tallystick.model.clock import ManualClock
from tallystick.model.reason import Reason
from tallystick.model.statistic import Statistic
from tallystick.parse import NameTable, protocols
from tallystick.query.outputs import OutputsView
from tallystick.receive import Intake, IntakeLimits
from tallystick.route import Decision, Facts, Naming, Router
from tallystick.store.memory import MemoryStore

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "rules"
CARBON: dict[str, Any] = json.loads((GOLDEN / "carbon.json").read_text())
NAMES: dict[str, dict[str, Any]] = CARBON["names"]
OUTPUTS: dict[str, dict[str, float]] = CARBON["outputs"]
SENT = [line for line in (GOLDEN / "names.txt").read_text().splitlines() if line]
STARTED_S = int(CARBON["started_s"])
PIPELINE = (
    Rule(rewrite_rules=str(GOLDEN / "rewrite-rules.conf"), section="pre"),
    Rule(aggregation_rules=str(GOLDEN / "aggregation-rules.conf")),
    Rule(rewrite_rules=str(GOLDEN / "rewrite-rules.conf"), section="post"),
)

OTHERWISE = {
    # It is sent by somebody as well: one series has both, where carbon's writes would replace each other.
    "prod.applications.apache.www.requests": 84.0,
    # Two lines send a sample to it, which counts once; in carbon it counts for each.
    "twice.made": 39.0,
}
"""Outputs that differ from carbon's, and the first value that they have here."""


def samples(name: str) -> list[tuple[int, float]]:
    """What the recording sent by a name."""
    number = SENT.index(name)
    return [(STARTED_S + at, float(number + 1) * (1 + at // 10 % 3)) for at in range(0, 120, 10)]


def decided(name: str, *rules: Rule) -> Decision:
    return Naming(rules).decide(name, Facts("carbon tcp://127.0.0.1:2003"))


@pytest.mark.parametrize("name", SENT)
def test_a_name_is_rewritten_and_goes_into_the_aggregates_that_carbon_has_for_it(name: str) -> None:
    carbon = NAMES[name]
    found = decided(name, *PIPELINE)
    assert sorted(output for output, _ in found.further) == carbon["aggregates"]
    assert (found.name if isinstance(found.name, str) else None) == carbon["forwarded"]
    assert decided(name, PIPELINE[0]).name == carbon["pre"]


@pytest.mark.parametrize("name", SENT)
def test_the_lists_refuse_what_carbon_refuses(name: str) -> None:
    black, white = (Rule(**{word: str(GOLDEN / f"{word}.conf")}) for word in ("blacklist", "whitelist"))
    assert (decided(name, black).name is Reason.BLOCKED) == NAMES[name]["blacklisted"]
    assert (decided(name, white).name is Reason.UNLISTED) == (not NAMES[name]["whitelisted"])


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """All samples of the recording, by carbon's lines."""
    clock = ManualClock(STARTED_S + 200.0)
    store, names, ledger = MemoryStore(clock=clock), NameTable(), Ledger(clock)
    intake = Intake(names, Router(names, store.create, PIPELINE), store, ledger, clock, IntakeLimits(600, 86_400))
    lines = [f"{name} {value} {at_s}\n" for name in SENT for at_s, value in samples(name)]
    text = "".join(lines).encode()
    account = ledger.account("carbon")
    intake.parse_stream(protocols()["carbon"](), padded(text), len(text), account, skipping=False, final=True)
    balance = account.snapshot()
    assert (balance.received, balance.in_flight) == (len(lines), 0)
    assert broken_laws(ledger) == []
    return store


@pytest.mark.parametrize("output", sorted(OUTPUTS))
def test_an_aggregate_has_the_value_that_carbon_gives_it(store: MemoryStore, output: str) -> None:
    lines = Naming(PIPELINE).aggregates
    view = OutputsView(store, lambda: lines)
    ids = store.catalog.find(output)
    step_s = int(view.steps(ids, STARTED_S, STARTED_S + 120)[0])
    values = view.read(ids, STARTED_S, STARTED_S + 120, step_s)[Statistic.DEFAULT][0].tolist()
    found = {str(STARTED_S + k * step_s): value for k, value in enumerate(values)}
    assert found.keys() == OUTPUTS[output].keys()
    if output in OTHERWISE:
        assert values[0] == OTHERWISE[output]
        return
    rank = next(line.rank for line in lines if _makes(line, output))
    for at, value in OUTPUTS[output].items():
        if rank is None:
            assert found[at] == pytest.approx(value), at
        else:
            # Carbon interpolates between two samples; a histogram gives one of them, nearly.
            low, high = _around(output, int(at), rank)
            assert low * 0.98 <= found[at] <= high * 1.02, at
            assert low <= value <= high


def _makes(line: AggregationLine, output: str) -> bool:
    return re.fullmatch(line.output_expression, output) is not None


def _around(output: str, at_s: int, rank: float) -> tuple[float, float]:
    """The samples of ten seconds that a percentile lies between."""
    inputs = [name for name in SENT if output in NAMES[name]["aggregates"]]
    ordered = sorted(value for name in inputs for t, value in samples(name) if t == at_s)
    place = rank / 100 * (len(ordered) - 1)
    return ordered[floor(place)], ordered[ceil(place)]
