"""What we write as messages fastavro reads by the published schema, and the other way round."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from native_senders import parsed
from tallystick.model.kind import Kind
from tallystick.native import messages
from tallystick.native.messages import Name, Slot
from tallystick.parse import NameTable, protocols

fastavro = pytest.importorskip("fastavro")

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "native.avsc").read_text())
PARSED = fastavro.parse_schema(SCHEMA)
SYMBOLS = [kind.name.lower() for kind in Kind]

numbers = st.floats(allow_nan=False)
longs = st.integers(-(2**63), 2**63 - 1)
buckets = st.lists(st.tuples(st.integers(-(2**31), 2**31 - 1), numbers), max_size=4)
spreads = st.none() | st.tuples(numbers, numbers, numbers, numbers, numbers)
slots = st.builds(
    Slot, st.just(""), st.just(Kind.GAUGE), st.integers(0, 2**45), numbers, spreads, buckets, st.binary(max_size=9)
)
numbered = st.lists(st.tuples(st.integers(0, 3), slots), max_size=5)


def read(message: bytes) -> Any:
    stream = io.BytesIO(message)
    found = fastavro.schemaless_reader(stream, PARSED, return_record_name=True)
    assert stream.read() == b""
    return found


def written(name: str, record: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, PARSED, (f"tallystick.{name}", record))
    return stream.getvalue()


def as_record(series: int, slot: Slot, base_ms: int) -> dict[str, Any]:
    names = ("count", "sum", "m2", "min", "max")
    return {
        "series": series,
        "at_ms": slot.at_ms - base_ms,
        "last": slot.last,
        "spread": None if slot.spread is None else dict(zip(names, slot.spread, strict=True)),
        "buckets": [{"bucket": bucket, "weight": weight} for bucket, weight in slot.buckets],
        "sketch": slot.sketch,
    }


def fingerprint(schema: list[dict[str, Any]]) -> bytes:
    canonical = fastavro.schema.to_parsing_canonical_form(schema)
    return bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))


def test_the_fingerprints_are_those_of_the_schema_and_of_the_one_before() -> None:
    assert fingerprint(SCHEMA) == messages.FINGERPRINT
    assert [record["name"] for record in SCHEMA[-1:]] == ["Origin"]
    assert fingerprint(SCHEMA[:-1]) == messages.FINGERPRINT_WITHOUT_ORIGIN


words = st.text(max_size=9)


@given(words, words, words)
def test_greetings(agent: str, run: str, token: str) -> None:
    record = {"version": 1, "schema": messages.FINGERPRINT, "agent": agent, "run": run, "token": token}
    assert read(messages.hello(agent, run, token)) == ("tallystick.Hello", record)
    assert written("Hello", record) == messages.hello(agent, run, token)
    assert read(messages.welcome(77)) == ("tallystick.Welcome", {"version": 1, "frame_bytes_max": 77})
    assert read(messages.taken(2**62)) == ("tallystick.Taken", {"number": 2**62})


@given(longs, st.lists(words, max_size=4))
def test_what_is_blocked(version: int, patterns: list[str]) -> None:
    record = {"version": version, "patterns": patterns}
    message = messages.blocked(version, patterns)
    assert read(message) == ("tallystick.Blocked", record)
    assert written("Blocked", record) == message
    assert messages.read_blocked(message, 1) == (version, patterns)


@given(
    st.integers(0, 2**31 - 1),
    st.lists(st.builds(Name, words, st.sampled_from(Kind), words, words, words, words), max_size=4),
)
def test_names(first: int, named: list[Name]) -> None:
    record = {"first": first, "names": list(map(as_item, named))}
    assert read(messages.names(first, named)) == ("tallystick.Names", record)
    assert written("Names", record) == messages.names(first, named)


def as_item(name: Name) -> dict[str, Any]:
    said = zip(("unit", "owner", "description", "alert"), name.said, strict=True)
    return {"name": name.name, "kind": SYMBOLS[name.kind], **dict(said)}


@given(words, st.lists(st.integers(0, 2**31 - 1), max_size=9))
def test_origins(protocol: str, numbers: list[int]) -> None:
    record = {"protocol": protocol, "names": numbers}
    assert read(messages.origin(protocol, numbers)) == ("tallystick.Origin", record)
    assert written("Origin", record) == messages.origin(protocol, numbers)


@given(longs, longs, longs, st.integers(0, 2**45), numbered)
def test_batches(number: int, generated: int, blocked: int, base_ms: int, sent: list[tuple[int, Slot]]) -> None:
    message = messages.batch(number, generated, base_ms, sent, blocked)
    record = {
        "number": number,
        "generated": generated,
        "blocked": blocked,
        "base_ms": base_ms,
        "slots": [as_record(series, slot, base_ms) for series, slot in sent],
    }
    kind, found = read(message)
    for slot in found["slots"]:
        slot["spread"] = slot["spread"][1] if isinstance(slot["spread"], tuple) else slot["spread"]
    assert (kind, found) == ("tallystick.Batch", record)
    assert written("Batch", record) == message


@given(st.integers(1, 2**62), numbered)
def test_what_fastavro_writes_our_kernel_reads(number: int, sent: list[tuple[int, Slot]]) -> None:
    names = NameTable()
    said = [as_item(Name(f"n{k}", Kind(k), unit="s" * k)) for k in range(4)]
    made = {"number": number, "generated": len(sent) + 3, "blocked": 3, "base_ms": 0}
    record = made | {"slots": [as_record(*one, 0) for one in sent]}
    parts = [
        written("Hello", {"version": 1, "schema": messages.FINGERPRINT, "agent": "a", "run": "r", "token": ""}),
        written("Names", {"first": 0, "names": said}),
        written("Origin", {"protocol": "statsd", "names": [2, 1]}),
        written("Batch", record),
    ]
    found = parsed(protocols()["native"](), b"".join(map(messages.framed, parts)), names)
    tallies = found.tallies
    assert tallies is not None and not found.broken
    assert names.names(tallies.ids) == [f"n{series}".encode() for series, _ in sent]
    assert tallies.kind.tolist() == [series for series, _ in sent]
    by_statsd = [series in (1, 2) for series, _ in sent]
    assert (tallies.statsd.tolist() if tallies.statsd is not None else [False] * len(sent)) == by_statsd
    assert tallies.timestamp.tolist() == [slot.at_ms for _, slot in sent]
    s = tallies.spread
    columns = np.stack([tallies.last, s.count, s.sum, s.m2, s.min, s.max], axis=1).tolist()
    assert columns == [[slot.last, *(slot.spread or (1.0, slot.last, 0.0, slot.last, slot.last))] for _, slot in sent]
    if tallies.histograms is not None:
        cells = list(zip(tallies.histograms.bucket.tolist(), tallies.histograms.weight.tolist(), strict=True))
        assert cells == [cell for _, slot in sent for cell in slot.buckets]
    if tallies.sketches is not None:
        assert tallies.sketches.data.tobytes() == b"".join(slot.sketch for _, slot in sent)
