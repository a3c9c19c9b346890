"""Graphite's storage-schemas.conf, as it is."""

from pathlib import Path

import pytest

from tallystick.config import parse
from tallystick.config.storage_schemas import read_schemas
from tallystick.model.errors import ConfigError
from tallystick.store.rules.retentions import Retentions

CARBON = r"""
# Schema definitions, as Debian ships them
[carbon]
pattern = ^carbon\.
retentions = 60:90d

[fast and not slow]
pattern = ^fast\.(?!slow)
retentions = 1s:6h, 1min:7days
PRIORITY = 100

; everything else
[default_1min_for_1day]
pattern = .*
retentions = 60:1440
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "storage-schemas.conf"
    path.write_text(text)
    return path


def test_sections_are_rules_in_their_order(tmp_path: Path):
    rules = read_schemas(written(tmp_path, CARBON))
    assert [(rule.pattern, str(rule.retention)) for rule in rules] == [
        (r"^carbon\.", "1m:90d"),
        (r"^fast\.(?!slow)", "1s:6h,1m:1w"),
        (".*", "1m:1d"),
    ]


def test_the_first_pattern_that_is_found_in_a_name_counts(tmp_path: Path):
    retentions = Retentions(read_schemas(written(tmp_path, CARBON)))
    names = ["carbon.agents.cpu", "my.carbon.x", "fast.a", "fast.slow.a"]
    assert [str(retentions.all[k]) for k in retentions.of_names(names)] == ["1m:90d", "1m:1d", "1s:6h,1m:1w", "1m:1d"]


def test_our_own_rules_come_first_and_the_default_last(tmp_path: Path):
    path = written(tmp_path, "[web]\npattern = web\nretentions = 10s:1d\n")
    own = parse(f'store.storage_schemas = "{path}"\nstore.retention = [{{ match = "web.a", keep = "1s:1h" }}]', "FILE")
    assert [(r.pattern or r.match) for r in own.store.retention_rules] == ["web.a", "web", "*"]
    alone = parse(f'store.storage_schemas = "{path}"', "FILE")
    assert [(r.pattern or r.match) for r in alone.store.retention_rules] == ["web", "*"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("[a]\npattern = x\n", r"line 1, section \[a\] lacks retentions; expected pattern = ... and retentions = ..."),
        (
            "\n[a]\npattern = (\nretentions = 1m:1d\n",
            r"line 2, section \[a\]: pattern '\(' is broken: .*; expected a reg",
        ),
        ("[a]\npattern = x\nretentions = 1m\n", r"section \[a\]: cannot read retention '1m': expected step:length"),
        ("pattern = x\n", r"line 1: 'pattern = x' is no key of a section; expected pattern or retentions"),
        ("[a]\nxFilesFactor = 0\n", r"line 2: 'xFilesFactor = 0' is no key of a section; expected"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_section(tmp_path: Path, text: str, cause: str):
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=cause) as caught:
        parse(f'store.storage_schemas = "{path}"', "FILE")
    assert f"cannot use key store.storage_schemas in FILE line 1: {path}" in caught.value.problems[0]


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"No such file.*expected a readable storage-schemas\.conf"):
        parse(f'store.storage_schemas = "{tmp_path / "none"}"', "FILE")
