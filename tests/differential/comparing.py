"""What we answer in a scene, and whether that is what graphite-web answers."""

import re
from collections.abc import Mapping, Set
from functools import cache
from typing import Any

import numpy as np
from synthetic import SCENES, Scene

from tallystick.model.clock import ManualClock
from tallystick.model.errors import QueryError
from tallystick.model.kind import Kind
from tallystick.model.name import canonical
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.query import Evaluator, Request, time_zone
from tallystick.store.memory import MemoryStore

Answer = list[dict[str, Any]] | dict[str, str]
"""Series; or an error, under that word."""

PARTS = ("name", "path", "tags", "start", "step", "values")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_LONG_NUMBER = re.compile(r"\d+\.\d{9,}")


def evaluator(scene: Scene) -> Evaluator:
    """One on a store that holds the series of a scene; scenes of the same time share it."""
    return _evaluator(next(name for name, one in SCENES.items() if one.until_s == scene.until_s))


@cache
def _evaluator(scene_name: str) -> Evaluator:
    scene = SCENES[scene_name]
    rules = [RetentionRule(f"{name}*", Retention.parse(f"{step}s:2y")) for name, (step, _) in scene.series.items()]
    store = MemoryStore(rules, ManualClock(float(scene.until_s)))
    for name, (step, wave) in scene.series.items():
        ids = store.create([canonical(name)], [Kind.GAUGE])
        times = range((scene.from_s - scene.history_s) // step * step, scene.until_s + 1, step)
        points = [(t, value) for t in times if (value := wave(t)) is not None]
        if points:
            at_ms, values = [t * 1000 for t, _ in points], [value for _, value in points]
            store.append(SampleBatch.of(np.full(len(points), ids[0]), at_ms, values, kind=Kind.GAUGE))
    return Evaluator(store, ManualClock(float(scene.until_s)))


def answer(scene_name: str, target: str) -> Answer:
    """What we answer."""
    scene = SCENES[scene_name]
    zone, share = time_zone(scene.zone), scene.x_files_factor
    request = Request(scene.from_s, scene.until_s, scene.until_s, zone, x_files_factor=share)
    try:
        grids = evaluator(scene).evaluate([target], request)
    except QueryError as error:
        return {"error": str(error)}
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


def assert_same(ours: Answer, theirs: Answer, skip: Set[str] = frozenset(), target: str = "") -> None:
    """Compare all that is not to be skipped; ``error`` stands for whether there is one."""
    if isinstance(ours, Mapping) or isinstance(theirs, Mapping):
        assert "error" in skip or (isinstance(ours, Mapping) and isinstance(theirs, Mapping)), (ours, theirs)
        return
    for key in ("name", "path", "tags", "start", "step"):
        if key not in skip:
            assert [_plain(one[key]) for one in ours] == [_plain(one[key]) for one in theirs], key
    if "values" in skip:
        return
    # Graphite squares epoch seconds, which leaves a line few digits.
    tolerance = 1e-6 if "linearRegression" in target else 1e-9
    for one, other in zip(ours, theirs, strict=True):
        expected, got = ([np.nan if v is None else v for v in answer["values"]] for answer in (other, one))
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def _plain(said: object) -> object:
    """Numbers in texts as plain as they can be compared.

    The last of full digits depends on the order of summing; and in tags, Graphite tells whole numbers from others.
    """
    if isinstance(said, Mapping):
        return {key: f"{float(value):g}" if _NUMBER.fullmatch(value) else _plain(value) for key, value in said.items()}
    return _LONG_NUMBER.sub(lambda number: f"{float(number[0]):.9g}", said) if isinstance(said, str) else said
