"""Bodies made to hurt: refused by a sentence, before memory is taken for what they announce."""

from collections.abc import Callable

import pyarrow as pa
import pytest
from test_import_route import NOW_S, House

from tallystick.exchange import wire
from tallystick.exchange.columns import HISTOGRAM
from tallystick.exchange.messages import announced
from tallystick.model.errors import ForeignFileError

MANY = 1_000_000_000


def body(columns: dict[str, pa.Array], *, times: int = 1, compression: str | None = None) -> bytes:
    batch = pa.RecordBatch.from_arrays(list(columns.values()), list(columns))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as stream:
        for _ in range(times):
            stream.write_batch(batch)
    return sink.getvalue().to_pybytes()


def samples(n: int = 1, **other: pa.Array) -> dict[str, pa.Array]:
    columns = {"name": pa.array(["a"] * n), "time": pa.array([NOW_S - 10] * n), "value": pa.array([1.0] * n)}
    return columns | other


def slots(n: int = 1, **other: pa.Array) -> dict[str, pa.Array]:
    numbers = {name: pa.array([1.0] * n) for name in ("count", "sum", "m2", "min", "max", "last")}
    kind = {"kind": pa.array(["timing"] * n), "step": pa.array([10] * n)}
    return samples(n) | kind | numbers | other


def twice(columns: dict[str, pa.Array]) -> bytes:
    batch = pa.RecordBatch.from_arrays([*columns.values(), columns["name"]], [*columns, "name"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return sink.getvalue().to_pybytes()


def run_ends(value: object) -> pa.Array:
    return pa.RunEndEncodedArray.from_arrays(pa.array([MANY], pa.int32()), pa.array([value]))


def numbered(values: list[object], of_type: pa.DataType) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), pa.array(values, of_type))


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "compressed": (lambda: body(samples(), compression="zstd"), "compressed"),
    "a dictionary of many": (lambda: body(samples(name=numbered([""] * 5_000_000, pa.string()))), "more than"),
    "nulls": (lambda: body(dict.fromkeys(("name", "time", "value"), pa.nulls(MANY))), "more than"),
    "runs": (lambda: body({"name": run_ends("a"), "time": run_ends(NOW_S), "value": run_ends(1.0)}), "more than"),
    "many batches": (lambda: body(samples(), times=10_002), "batches"),
    "many steps": (lambda: body(slots(100, step=pa.array(range(1, 101)))), "different steps"),
    "two names": (lambda: twice(samples()), "several named name"),
    "names that are numbers": (lambda: body(samples(name=numbered([7], pa.int32()))), "name is of type"),
    "names that are lists": (lambda: body(samples(name=pa.array([["a"]]))), "name is of type"),
    "times that are structs": (lambda: body(samples(time=pa.array([{"a": 1}]))), "time is of type"),
    "step 0": (lambda: body(slots(step=pa.array([0]))), "step 0"),
    "buckets of nothing": (
        lambda: body(slots(histogram=pa.array([None], pa.list_(pa.null())))),
        "histogram is of type",
    ),
    "a null bucket": (lambda: body(slots(histogram=pa.array([[None]], HISTOGRAM))), "null"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", HOSTILE)
async def test_a_hostile_body_is_refused_with_its_cause(case: str):
    make, cause = HOSTILE[case]
    house = House()
    answer = await house.post(make())
    assert answer.status_code == 400
    assert cause in answer.json()["error"]
    assert not len(house.store.catalog.ids())


@pytest.mark.anyio
@pytest.mark.parametrize(
    "columns",
    [
        samples(name=numbered([None], pa.string())),
        samples(name=pa.array(["x" * (1 << 20)])),
        samples(name=pa.array(["\x1b[31mred"])),
        samples(value=pa.array([float("inf")])),
        slots(count=pa.array([-1.0])),
        slots(step=pa.array([2**62]), time=pa.array([0])),
        slots(kind=pa.array(["set"]), sketch=pa.array([b"garbage"], pa.binary())),
        slots(histogram=pa.array([[{"bucket": -(2**31), "weight": 1.0}]], HISTOGRAM)),
        *(samples(time=pa.array([time])) for time in (2**63 - 1, -(2**63), float("inf"), 1e300, None)),
        *(slots(time=pa.array([time]), step=pa.array([1])) for time in (2**63 - 1, -(2**63))),
    ],
)
async def test_rows_that_nobody_measured_are_counted_and_not_stored(columns: dict[str, pa.Array]):
    house = House()
    answer = await house.post(body(columns))
    assert answer.status_code == 200, answer.text
    assert sum(answer.json().values()) == 1
    assert answer.json()["taken"] == 0
    assert not len(house.store.catalog.ids())


@pytest.mark.anyio
async def test_small_batches_of_a_body_become_one_load(monkeypatch: pytest.MonkeyPatch):
    house = House()
    loads = []
    load = house.store.load
    monkeypatch.setattr(house.store, "load", lambda *given: loads.append(given) or load(*given))
    answer = await house.post(body(samples(kind=pa.array(["counter"])), times=50))
    assert answer.json() == {"taken": 50, "present": 0, "out_of_time": 0, "refused": 0}
    assert len(loads) == 1


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_messages_are_told_apart_before_they_are_read(compression: str | None):
    columns = samples(3, name=pa.array(["a", "b", "a"]).dictionary_encode())
    stream = pa.ipc.MessageReader.open_stream(pa.BufferReader(body(columns, compression=compression)))
    told = [announced(message.metadata.to_pybytes()) for message in stream]
    assert [(one.rows, one.is_dictionary) for one in told] == [(0, False), (2, True), (3, False)]
    assert [one.is_compressed for one in told] == [False, compression is not None, compression is not None]


def test_metadata_that_ends_early_is_refused():
    with pytest.raises(ValueError, match="cannot be read"):
        announced(b"\xff\xff\xff\x7f")
    with pytest.raises(ForeignFileError):
        list(wire.decode(b"\xff\xff\xff\xff\x10\x00\x00\x00" + bytes(16)))
