"""Every function gives what graphite-web 1.1.10 gives; the answers were recorded by ``tools/record_oracle.py``."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.name import canonical
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.query import FUNCTIONS, Evaluator, Request
from tallystick.query.grammar import Call, Literal, Template, parse
from tallystick.query.grammar import Path as PathNode
from tallystick.store.memory import MemoryStore

sys.path.insert(0, str(Path(__file__).parent))
from synthetic import FROM_S, HISTORY_S, SERIES, UNTIL_S

GOLDEN = Path(__file__).parent.parent / "golden" / "query"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())
DEVIATIONS = json.loads((GOLDEN / "deviations.json").read_text())

# Not comparable: ours alone, random, or of a database.
NOT_IN_THE_ORACLE = {
    "baseline",
    "events",
    "medianSeries",
    "percentile",
    "randomWalk",
    "randomWalkFunction",
    "stat",
    "trailing",
}


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    steps = {step for step, _ in SERIES.values()}
    rules = [
        RetentionRule(f"{name.split('.')[0]}.*", Retention.parse(f"{step}s:30d")) for name, (step, _) in SERIES.items()
    ]
    assert steps == {10, 60, 300}
    store = MemoryStore(rules, ManualClock(float(UNTIL_S)))
    for name, (step, wave) in SERIES.items():
        ids = store.create([canonical(name)], [Kind.GAUGE])
        times = range((FROM_S - HISTORY_S) // step * step, UNTIL_S + 1, step)
        points = [(t, value) for t in times if (value := wave(t)) is not None]
        if not points:
            continue
        store.append(
            SampleBatch.of(
                np.full(len(points), ids[0]),
                [t * 1000 for t, _ in points],
                [value for _, value in points],
                kind=Kind.GAUGE,
            )
        )
    return Evaluator(store, ManualClock(float(UNTIL_S)))


def answer(evaluator: Evaluator, target: str) -> list[dict[str, object]]:
    grids = evaluator.evaluate([target], Request(FROM_S, UNTIL_S, UNTIL_S))
    return [
        {
            "name": row.name,
            "path": row.path,
            "tags": row.tags,
            "start": grid.start_s,
            "step": grid.step_s,
            "values": [None if np.isnan(value) else value for value in values.tolist()],
        }
        for grid in grids
        for row, values in zip(grid.rows, grid.values, strict=True)
    ]


def assert_same(ours: list[dict[str, object]], theirs: list[dict[str, object]], skip: set[str]) -> None:
    for key in ("name", "path", "tags", "start", "step"):
        if key not in skip:
            assert [one[key] for one in ours] == [one[key] for one in theirs], key
    if "values" in skip:
        return
    for one, other in zip(ours, theirs, strict=True):
        expected = [np.nan if value is None else value for value in other["values"]]
        np.testing.assert_allclose(
            [np.nan if value is None else value for value in one["values"]], expected, rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("target", EXPECTED)
def test_a_target_gives_what_graphite_gives(evaluator: Evaluator, target: str) -> None:
    assert_same(answer(evaluator, target), EXPECTED[target], set(DEVIATIONS.get(target, {}).get("differs", [])))


def called(node: object) -> set[str]:
    match node:
        case Call(name=name, arguments=arguments):
            return {name}.union(*(called(one) for one in arguments))
        case Template(body=body):
            return called(body)
        case PathNode() | Literal():
            return set()
    raise AssertionError(node)


def test_every_function_is_compared_at_least_once() -> None:
    compared = set().union(*(called(parse(target)) for target in EXPECTED))
    covered = {FUNCTIONS[name].call for name in compared if name in FUNCTIONS}
    missing = {name for name, found in FUNCTIONS.items() if found.call not in covered}
    assert missing <= NOT_IN_THE_ORACLE


def test_each_deviation_is_of_a_recorded_target_and_says_why() -> None:
    for target, deviation in DEVIATIONS.items():
        assert target in EXPECTED
        assert set(deviation) == {"differs", "why"}
        assert len(deviation["why"]) > 20


@pytest.mark.parametrize("target", DEVIATIONS)
def test_a_deviation_that_is_none_any_more_is_struck_from_the_list(evaluator: Evaluator, target: str) -> None:
    for key in DEVIATIONS[target]["differs"]:
        others = {"name", "path", "tags", "start", "step", "values"} - {key}
        with pytest.raises((AssertionError, ValueError)):
            assert_same(answer(evaluator, target), EXPECTED[target], others)
