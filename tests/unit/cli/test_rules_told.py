"""``tallystick rules`` and ``tallystick check rules``."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stores import opened, put, wait_durable
from tallystick.cli.verbs import verbs

RULES = """
[[rules]]
match = "web.*"
rewrite = '^web\\.\\w+ -> all'
[[rules]]
match = "never.*"
block = true
[[rules]]
regex = "cpu$"
prefix = "p"
[[rules]]
aggregate = "sum.<what> (10) = sum p.*.<what>"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "rules.toml"
    place.write_text(RULES)
    return place


def run(*arguments: str) -> Result:
    return CliRunner().invoke(verbs, [*arguments])


def test_a_file_is_tried_on_the_names_of_a_store(file: Path, tmp_path: Path) -> None:
    with opened(tmp_path / "data") as store:
        for name in ("web.h1.cpu", "web.h2.cpu", "db.load"):
            wait_durable(store, put(store, name, {0: 1.0}))
        found = run("check", "rules", str(file), "--directory", str(tmp_path / "data")).stdout.splitlines()
    assert found[0].endswith("rules.toml: 4 rules are fine.")
    assert found[1] == "  of 3 names 2 become others, 2 several, 0 none"
    assert "2 names" in found[2] and " none  match" in found[3] and "2 names" in found[4] and "2 names" in found[5]
    assert found[6] == "  one series: web.h1.cpu, web.h2.cpu become p.all.cpu"
    assert found[7] == "  moved twice: p.all.cpu becomes p.p.all.cpu if it is sent so"


def test_a_broken_file_is_told_with_status_3(file: Path) -> None:
    file.write_text("rules = [{ prefx = 'a' }, { block = true }]")
    result = run("check", "rules", str(file), "--alone")
    assert result.exit_code == 3
    assert "did you mean prefix?" in result.stderr
    assert run("check", "rules").exit_code == 1


def test_what_each_rule_does_to_a_name_is_explained(file: Path) -> None:
    shown = run("rules", "explain", "web.h1.cpu", "--file", str(file)).stdout
    assert shown.splitlines()[0] == "web.h1.cpu"
    assert "       all.cpu\n" in shown and "is not for it" in shown
    assert shown.endswith("  = p.all.cpu\n  = sum.cpu\n")
    found = json.loads(run("rules", "explain", "web.h1.cpu", "--file", str(file), "--json").stdout)
    assert found["series"] == ["p.all.cpu", "sum.cpu"]
    assert "blocked" in run("rules", "explain", "never.a", "--file", str(file)).stdout


def test_the_sample_is_a_file_of_rules(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(run("rules", "sample").stdout)
    assert run("check", "rules", str(tmp_path / "s.toml"), "--alone").exit_code == 0


def test_rules_of_a_config_are_checked_with_its_file(file: Path, tmp_path: Path) -> None:
    config = tmp_path / "tallystick.toml"
    config.write_text(f"rules_file = '{file}'\n[[rules]]\nmatch = 'a.*'\nprefix = 'b'\n")
    assert "5 rules are fine" in run("check", "rules", "--config", str(config), "--alone").stdout
