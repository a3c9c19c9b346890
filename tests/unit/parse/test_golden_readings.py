"""Folders in tests/golden/munin and tests/golden/ganglia-xml: what somebody answered, and what is read of it.

As in `test_golden_lines`, ``input.txt`` is the answer and ``expected.json`` what is made of it; run this file with a
folder to write the expectation of a new case, and read it.
"""

import json
import sys
from pathlib import Path

import pytest

from tallystick.model.kind import Kind
from tallystick.parse.ganglia_xml import read_report
from tallystick.parse.munin import read_conversation

GOLDEN = Path(__file__).parents[2] / "golden"
READERS = {"munin": read_conversation, "ganglia-xml": read_report}
CASES = [path.parent for name in READERS for path in sorted((GOLDEN / name).glob("*/expected.json"))]
NOW_MS = 1_700_000_000_000


def outcome_of(case: Path) -> dict[str, list[list[object]]]:
    reading = READERS[case.parent.name]((case / "input.txt").read_bytes(), case.parent.name[:7].strip("-"), NOW_MS)
    batch = reading.samples
    columns = (batch.timestamp, batch.value, batch.weight, batch.kind)
    samples = [
        [reading.names[entry].decode(), at_ms, value, weight, Kind(kind).name]
        for entry, at_ms, value, weight, kind in zip(
            batch.ids.tolist(), *(column.tolist() for column in columns), strict=True
        )
    ]
    return {
        "samples": samples,
        "rejects": [[reason.name, text.decode()] for reason, text in reading.rejects],
        "meant": [list(one) for one in reading.meant],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_the_case_gives_what_its_folder_says(case: Path) -> None:
    assert outcome_of(case) == json.loads((case / "expected.json").read_text())


@pytest.mark.parametrize("name", sorted(READERS))
def test_each_has_cases(name: str) -> None:
    assert len([case for case in CASES if case.parent.name == name]) >= 5


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        folder = Path(argument).resolve()
        lines = [
            f'  "{key}": [\n' + ",\n".join(f"    {json.dumps(row)}" for row in rows) + "\n  ]"
            for key, rows in outcome_of(folder).items()
        ]
        (folder / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
