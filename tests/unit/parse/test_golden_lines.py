"""Each folder in tests/golden/<protocol> is a case: an input, and what is made of it.

``input.txt`` is the input as it is; else ``recipe.json`` has ``pieces``: texts with a number of repetitions, joined, or
each a datagram by itself where it says ``datagrams``. ``expected.json`` holds ``samples`` (name, milliseconds, value,
weight, kind; of a set's member the bits as hex), ``rejects`` (reason, text) and, if there are any, ``tallies``. To
write the expectation of a new case, run this file with the folder as its argument, and read what it wrote before
committing it.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.model.sample import GAUGE_DELTA
from tallystick.model.tally import Histograms, TallyBatch
from tallystick.parse import NameTable, Parsed, padded, protocols

GOLDEN = Path(__file__).parents[2] / "golden"
CASES = [path.parent for name in protocols() for path in sorted((GOLDEN / name).glob("*/expected.json"))]
NOW_MS = 1_700_000_000_000
TEXT_SHOWN = 60


def pieces_of(case: Path) -> tuple[list[bytes], bool]:
    """The input, and whether it comes as datagrams."""
    source = case / "input.txt"
    if source.exists():
        return [source.read_bytes()], False
    recipe = json.loads((case / "recipe.json").read_text())
    return [text.encode("latin-1") * times for text, times in recipe["pieces"]], recipe.get("datagrams", False)


def parse(case: Path) -> tuple[Parsed, NameTable, bytes]:
    pieces, datagrams = pieces_of(case)
    text = b"".join(pieces)
    names, parser, buffer = NameTable(), protocols()[case.parent.name](), padded(text)
    if not datagrams:
        return parser.parse(buffer, len(text), names, NOW_MS, final=True), names, text
    lengths = np.array([len(piece) for piece in pieces], np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    return parser.parse_datagrams(buffer, offsets, lengths, names, NOW_MS), names, text


def outcome_of(case: Path) -> dict[str, list[list[object]]]:
    parsed, names, text = parse(case)
    assert parsed.lines == parsed.taken + parsed.rejects.total
    assert parsed.consumed == len(text)
    batch, rejects = parsed.batch, parsed.rejects
    samples = [
        [names.name(entry).decode(), ms, value_of(value, kind), weight, word_of(kind)]
        for entry, ms, value, weight, kind in zip(
            batch.ids.tolist(),
            batch.timestamp.tolist(),
            batch.value.tolist(),
            batch.weight.tolist(),
            batch.kind.tolist(),
            strict=True,
        )
    ]
    buffer = np.frombuffer(text, np.uint8)
    noted = [
        [Reason(reason).name, shown(rejects.text(k, buffer, len(text)))]
        for k, reason in enumerate(rejects.reason.tolist())
    ]
    found = {"samples": samples, "rejects": noted}
    return found if parsed.tallies is None else found | {"tallies": rows_of(parsed.tallies, names)}


def rows_of(tallies: TallyBatch, names: NameTable) -> list[list[object]]:
    """Name, milliseconds, kind, last value, count, sum, M2, least and greatest value, and the buckets of each row; and
    a word more where it came by StatsD."""
    spread, histograms = tallies.spread, tallies.histograms or Histograms.none(len(tallies))
    statistics = zip(tallies.last, spread.count, spread.sum, spread.m2, spread.min, spread.max, strict=True)
    rows: list[list[object]] = []
    for k, numbers in enumerate(statistics):
        inside = slice(histograms.offset[k], histograms.offset[k + 1])
        buckets = zip(histograms.bucket[inside].tolist(), histograms.weight[inside].tolist(), strict=True)
        kind, ms = word_of(int(tallies.kind[k])), int(tallies.timestamp[k])
        rounded = [float(f"{number:.12g}") for number in numbers]
        origin = ["statsd"] if tallies.statsd is not None and tallies.statsd[k] else []
        name = names.name(int(tallies.ids[k])).decode()
        rows.append([name, ms, kind, *rounded, [list(pair) for pair in buckets], *origin])
    return rows


def value_of(value: float, kind: int) -> float | str:
    return struct.pack(">d", value).hex() if kind == Kind.SET else value


def word_of(kind: int) -> str:
    return Kind(kind & ~GAUGE_DELTA).name + ("_DELTA" if kind & GAUGE_DELTA else "")


def shown(text: bytes) -> str:
    return text[:TEXT_SHOWN].decode("latin-1") + (f"... {len(text)} bytes" if len(text) > TEXT_SHOWN else "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_the_case_gives_what_its_folder_says(case: Path):
    assert outcome_of(case) == json.loads((case / "expected.json").read_text())


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        folder = Path(argument).resolve()
        lines = [
            f'  "{key}": [\n' + ",\n".join(f"    {json.dumps(row)}" for row in rows) + "\n  ]"
            for key, rows in outcome_of(folder).items()
        ]
        (folder / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
