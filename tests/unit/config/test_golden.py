"""Files in ``tests/golden/config``: the good ones load, each bad one is told exactly as its ``.problems`` file says."""

from pathlib import Path

import pytest

from tallystick.agent import kinds
from tallystick.config import Config, load, parse
from tallystick.model.errors import ConfigError

GOLDEN = Path(__file__).parents[2] / "golden" / "config"
EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
GOOD = sorted((GOLDEN / "good").glob("*.toml")) + sorted(EXAMPLES.glob("*.toml"))
BAD = sorted((GOLDEN / "bad").glob("*.toml"))


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_a_good_file_loads(file: Path) -> None:
    assert isinstance(load(file, kinds()), Config)


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_file_is_told_all_its_problems(file: Path) -> None:
    expected = file.with_suffix(".problems").read_text(encoding="utf-8").splitlines()
    with pytest.raises(ConfigError) as caught:
        parse(file.read_text(encoding="utf-8"), "FILE", kinds())
    assert caught.value.problems == expected
    assert all("expected" in problem or "did you mean" in problem for problem in expected)
