"""Files of rules: TOML or YAML, with everything that is wrong told at once."""

from pathlib import Path

import pytest

from tallystick.config import Rule, parse
from tallystick.config.rules import ACTIONS, spelt
from tallystick.config.rules_file import load_rules, parse_rules
from tallystick.config.rules_sample import SAMPLE
from tallystick.model.errors import ConfigError

TOML = """
[[rules]]
match = "a.*"
block = true
[[rules]]
source = ["statsd"]
prefx = "x"
kinds = ["meter"]
"""
YAML = """
rules:
- match: "a.*"
  block: true
- source: [statsd]
  prefx: x
  kinds:
  - meter
"""


def problems(text: str, file: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_rules(text, file)
    return caught.value.problems


@pytest.mark.parametrize(("text", "file", "lines"), [(TOML, "r.toml", (7, 8)), (YAML, "r.yaml", (6, 7))])
def test_all_that_is_wrong_is_told_with_its_line(text: str, file: str, lines: tuple[int, int]) -> None:
    assert problems(text, file) == [
        f"cannot use key rules[1].prefx in {file} line {lines[0]}: there is no such key; did you mean prefix?",
        f"cannot use key rules[1].kinds in {file} line {lines[1]}: there is no kind 'meter'; expected gauge, counter, "
        "timing, set, cumulative",
    ]


def test_both_spellings_say_the_same() -> None:
    toml = "rules = [{ match = 'a.*', multiplex = ['b.{name}'], types = { timing = 'aggregate' } }]"
    yaml = "rules:\n- match: a.*\n  multiplex: ['b.{name}']\n  types: {timing: aggregate}\n"
    expected = (Rule(match="a.*", multiplex=("b.{name}",), types={"timing": "aggregate"}),)
    assert parse_rules(toml, "r.toml") == parse_rules(yaml, "r.yml") == expected


@pytest.mark.parametrize(("text", "file", "cause"), [
    ("rules = [", "r.toml", "expected TOML"),
    ("rules: [", "r.yaml", "expected YAML"),
    ("- a\n- b\n", "r.yaml", "it is a list; expected a table"),
    ("rules: &a [*a]\n", "r.yaml", "it is part of itself"),
    ("rules: !!python/object:os.system {}\n", "r.yaml", "expected YAML"),
    ("&a\nrules:\n- *a\n", "r.yaml", "it is part of itself"),
])  # fmt: skip
def test_what_is_no_file_of_rules_is_refused_in_a_sentence(text: str, file: str, cause: str) -> None:
    assert cause in problems(text, file)[0]


def test_an_empty_file_has_no_rules(tmp_path: Path) -> None:
    for name in ("r.toml", "r.yaml"):
        (tmp_path / name).write_text("")
        assert load_rules(tmp_path / name) == ()
    with pytest.raises(ConfigError, match=r"cannot read rules .*: No such file"):
        load_rules(tmp_path / "none.toml")


def test_the_sample_has_an_example_of_each_thing_that_a_rule_does() -> None:
    rules = parse_rules(SAMPLE.replace("# [[rules]]", "").replace("# blacklist", "# "), "sample.toml")
    done = {rule.action for rule in rules}
    words = {group[0] for group in ACTIONS}
    assert words - done <= {"blacklist", "rewrite_rules", "aggregation_rules", "whitelist", "host"}
    assert all(parse_rules(f"rules = [{{ {spelt(rule)} }}]", "r.toml") == (rule,) for rule in rules)


def test_a_config_tells_what_is_wrong_with_the_file_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(TOML)
    with pytest.raises(
        ConfigError, match=r"rules_file.*line 1.*line 7: there is no such key.*line 8: there is no kind"
    ):
        parse(f"rules_file = '{tmp_path}/r.toml'", "FILE")
