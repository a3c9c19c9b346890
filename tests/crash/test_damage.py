"""A bit flips in any file of a store: the start works, what is served is right or absent, and what is absent is named.

A series whose definition was damaged keeps its samples under a name that says so.
"""

import random
from pathlib import Path

import pytest

from inspection import Content, content_of
from journal import tree
from power_cuts import memory_directory
from scenarios import QuietFiles, Scenario, open_quietly
from tallystick.store.names.series_file import RECOVERED

SEED = 2
FLIPS = 8
pytestmark = [pytest.mark.timeout(600), pytest.mark.long]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scenario, dict[str, bytes], Content]:
    """A store with blocks, compressed ones too, and a log; and what it holds."""
    root = tmp_path_factory.mktemp("whole")
    scenario = Scenario(SEED, root)
    scenario.begin_many()
    for _ in range(6):
        scenario.write()
    scenario.seal()
    scenario.rename()
    scenario.clock.advance(3 * 3600.0)
    scenario.compact()
    for action in (scenario.load, scenario.write, scenario.seal, scenario.write, scenario.delete, scenario.write) * 2:
        action()
    scenario.close()
    files = tree(root / "store")
    store = open_quietly(root / "store", scenario.clock, scenario.rules, QuietFiles())
    content = content_of(store, scenario.clock)
    store.close()
    assert {Path(path).suffix or Path(path).name for path in files} >= {".block", ".log", "series", "manifest"}
    assert sum(len(slots) for slots in content.values()) > 40
    return scenario, files, content


def flips(content: bytes, choice: random.Random) -> list[int]:
    """Bits at both ends, where heads and footers are, and anywhere."""
    bits = 8 * len(content)
    near = [choice.randrange(min(bits, 400)) for _ in range(FLIPS)]
    return [*near, *(bits - 1 - bit for bit in near), *(choice.randrange(bits) for _ in range(FLIPS))]


def test_a_flipped_bit_never_changes_an_answer(whole: tuple[Scenario, dict[str, bytes], Content]):
    scenario, files, content = whole
    choice = random.Random(SEED)
    for path in files:
        for bit in flips(files[path], choice) if files[path] else ():
            damaged = bytearray(files[path])
            damaged[bit // 8] ^= 1 << bit % 8
            look_at(scenario, files | {path: bytes(damaged)}, content, f"bit {bit} of {path} flipped")


def test_a_file_that_was_cut_off_never_changes_an_answer(whole: tuple[Scenario, dict[str, bytes], Content]):
    scenario, files, content = whole
    choice = random.Random(SEED)
    for path in files.keys() - {"series"}:  # without its end it is as before what was written last
        for size in {0, *(choice.randrange(len(files[path]) or 1) for _ in range(10))}:
            # A log that ends early looks as after a power cut.
            what, named = f"{path} cut off at {size}", not path.startswith("log/")
            look_at(scenario, files | {path: files[path][:size]}, content, what, must_be_named=named)


def look_at(
    scenario: Scenario, files: dict[str, bytes], expected: Content, what: str, *, must_be_named: bool = True
) -> None:
    """Open a store of these files and compare what it serves."""
    with memory_directory() as name:
        for path, data in files.items():
            (Path(name) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(name) / path).write_bytes(data)
        store = open_quietly(Path(name), scenario.clock, scenario.rules, QuietFiles())
        try:
            found = content_of(store, scenario.clock)
            problems = store.problems()
        finally:
            store.close()
    recovered = {series for series in found if series.startswith(RECOVERED.decode())}
    # Where it was a change that was damaged, a series has its former name, or is there as before it was deleted.
    former = found.keys() - recovered - expected.keys()
    assert former <= {change.name for life in scenario.lives for change in life.names}, what
    assert problems or not (recovered or (former and must_be_named)), what
    missing = False
    for series, slots in expected.items():
        for slot, (bits, _) in slots.items():
            there, count = found.get(series, {}).get(slot, (0, 0.0))
            assert there & ~bits == 0, f"{what}: {series} has {there:b} instead of {bits:b}"
            assert count == there.bit_count(), f"{what}: {series} has {count} samples in {there:b}"
            missing |= there != bits
    served = [(series, slot) for series, slots in found.items() if series in expected for slot in slots]
    assert all(slot in expected[series] for series, slot in served), what
    assert not missing or problems or not must_be_named, f"{what}: samples are missing, and nothing is said"
