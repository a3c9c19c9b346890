"""What ``/functions`` says of parameters is what graphite-web says; ``tools/record_http.py`` recorded that."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tallystick.model.clock import ManualClock
from tallystick.query import QueryLimits
from tallystick.store.memory import MemoryStore
from tallystick.web.graphite import graphite_routes
from tallystick.web.workers import Workers

RECORDED = Path(__file__).parents[1] / "golden" / "http" / "functions.json"
THEIRS: dict[str, dict[str, Any]] = json.loads(RECORDED.read_text(encoding="utf-8"))

FRACTIONS = "fractions are taken, by graphite-web too unless it is told to enforce types"
CALLED_SO = "calls give it by this name, in graphite-web too"
LEFT_OUT = "it may be left out, in graphite-web too"
DIFFERENT = {
    ("dashed", "dashLength", "type"): FRACTIONS,
    ("holtWintersAberration", "delta", "type"): FRACTIONS,
    ("holtWintersConfidenceArea", "delta", "type"): FRACTIONS,
    ("holtWintersConfidenceBands", "delta", "type"): FRACTIONS,
    ("highest", "n", "required"): LEFT_OUT,
    ("highest", "n", "default"): LEFT_OUT,
    ("lowest", "n", "required"): LEFT_OUT,
    ("lowest", "n", "default"): LEFT_OUT,
    ("integralByInterval", "intervalUnit", "type"): "it is an interval",
    ("legendValue", "valuesTypes", "options"): "sumSeries and the like give (?) instead of a value, there too",
    ("removeEmptySeries", "xFilesFactor", "default"): "the default is 0, there by a setting",
    ("round", "precision", "default"): "names show a precision that is given, even 0",
    ("smartSummarize", "alignTo", "options"): "true, false and nothing are the same as leaving it out",
    ("stacked", "seriesList", "name"): CALLED_SO,
    ("stacked", "stack", "name"): CALLED_SO,
    ("stacked", "stack", "default"): "there by its signature",
    ("timeShift", "alignDst", "name"): CALLED_SO,
}
"""What differs: function, parameter and property, with the reason."""


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    routes = graphite_routes(MemoryStore(), QueryLimits(), ManualClock(), Workers(1))
    with TestClient(Starlette(routes=list(routes))) as client:
        listed: dict[str, Any] = json.loads(client.get("/functions").content)
        return listed


def differences(name: str, ours: dict[str, Any]) -> set[tuple[str, str, str]]:
    assert len(ours["params"]) == len(THEIRS[name]["params"])
    return {
        (name, wanted["name"], key)
        for one, wanted in zip(ours["params"], THEIRS[name]["params"], strict=True)
        for key in {*one, *wanted}
        if (not {*wanted.get(key, ())} <= {*one.get(key, ())} if key == "options" else one.get(key) != wanted.get(key))
    }


def test_every_function_of_graphite_is_listed_in_its_group(ours: dict[str, Any]) -> None:
    assert {name: ours.get(name, {}).get("group") for name in THEIRS} == {
        name: one["group"] for name, one in THEIRS.items()
    }


def test_parameters_are_described_as_by_graphite_but_where_there_is_a_reason(ours: dict[str, Any]) -> None:
    found = {one for name in THEIRS for one in differences(name, ours[name])}
    assert found == set(DIFFERENT)
