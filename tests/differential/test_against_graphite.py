"""Every function gives what graphite-web 1.1.10 gives; the answers were recorded by ``tools/record_oracle.py``."""

import json
import sys
from pathlib import Path

import pytest

from tallystick.query import FUNCTIONS
from tallystick.query.grammar import Call, Literal, Template, parse
from tallystick.query.grammar import Path as PathNode

sys.path.insert(0, str(Path(__file__).parent))
from comparing import PARTS, answer, assert_same
from synthetic import SCENES

GOLDEN = Path(__file__).parent.parent / "golden" / "query"
EXPECTED = {scene: json.loads((GOLDEN / f"{scene}.json").read_text()) for scene in SCENES}
DEVIATIONS = json.loads((GOLDEN / "deviations.json").read_text())
ASKED = [(scene, target) for scene, targets in EXPECTED.items() for target in targets]
DEVIATING = [(scene, target) for scene, targets in DEVIATIONS.items() for target in targets]

# Not comparable: random, or of a database.
NOT_IN_THE_ORACLE = {"events", "randomWalk", "randomWalkFunction"}
# Ours, or carbonapi's.
NOT_IN_GRAPHITE = {
    "aboveSeries",
    "average",
    "avgSeries",
    "avg_zero",
    "avg_zeroSeries",
    "band",
    "baseline",
    "completeness",
    "count",
    "current",
    "currentSeries",
    "diff",
    "ewma",
    "exponentialWeightedMovingAverage",
    "first",
    "firstSeries",
    "highestMin",
    "increase",
    "last",
    "lastSeries",
    "lowestMax",
    "lowestMin",
    "max",
    "median",
    "medianSeries",
    "mergedPercentile",
    "min",
    "multiply",
    "percentile",
    "powSeriesLists",
    "range",
    "rangeOf",
    "rangeSeries",
    "rate",
    "removeZeroSeries",
    "slo",
    "sloErrorBudget",
    "stat",
    "stddev",
    "total",
    "totalSeries",
    "trailing",
}


@pytest.mark.parametrize(("scene", "target"), ASKED)
def test_a_target_gives_what_graphite_gives(scene: str, target: str) -> None:
    differs = DEVIATIONS.get(scene, {}).get(target, {}).get("differs", ())
    assert_same(answer(scene, target), EXPECTED[scene][target], set(differs), target)


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
    compared = set().union(*(called(parse(target)) for target in EXPECTED["plain"]))
    covered = {FUNCTIONS[name].call for name in compared if name in FUNCTIONS}
    missing = {name for name, found in FUNCTIONS.items() if found.call not in covered}
    assert missing <= NOT_IN_THE_ORACLE | NOT_IN_GRAPHITE


def test_each_deviation_is_of_a_recorded_target_and_says_why() -> None:
    for scene, target in DEVIATING:
        deviation = DEVIATIONS[scene][target]
        assert target in EXPECTED[scene]
        assert set(deviation) == {"differs", "why"}
        assert len(deviation["why"]) > 20


@pytest.mark.parametrize(("scene", "target"), DEVIATING)
def test_a_deviation_that_is_none_any_more_is_struck_from_the_list(scene: str, target: str) -> None:
    for key in DEVIATIONS[scene][target]["differs"]:
        others = {"error", *PARTS} - {key}
        with pytest.raises((AssertionError, ValueError)):
            assert_same(answer(scene, target), EXPECTED[scene][target], others)
