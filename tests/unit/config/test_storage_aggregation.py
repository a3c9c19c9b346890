"""Graphite's storage-aggregation.conf, as it is."""

from pathlib import Path

import pytest

from tallystick.config import parse
from tallystick.config.storage_aggregation import read_aggregation
from tallystick.model.errors import ConfigError
from tallystick.model.retention import AggregationRule
from tallystick.model.statistic import Statistic

CARBON = r"""
# Aggregation methods for whisper files, as carbon ships them
[min]
pattern = \.lower$
xFilesFactor = 0.1
aggregationMethod = min

[max]
pattern = \.upper(_\d+)?$
xFilesFactor = 0.1
aggregationMethod = max

[sum]
pattern = \.sum$
xFilesFactor = 0
aggregationMethod = sum

[gauges]
pattern = ^.*\.gauge\..*
aggregationMethod = last

[default_average]
pattern = .*
xFilesFactor = 0.3
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "storage-aggregation.conf"
    path.write_text(text)
    return path


def test_sections_are_rules_in_their_order(tmp_path: Path):
    rules = read_aggregation(written(tmp_path, CARBON))
    assert rules == (
        AggregationRule("*", Statistic.MIN, r"\.lower$"),
        AggregationRule("*", Statistic.MAX, r"\.upper(_\d+)?$"),
        AggregationRule("*", Statistic.SUM, r"\.sum$"),
        AggregationRule("*", Statistic.LAST, r"^.*\.gauge\..*"),
        AggregationRule("*", Statistic.AVG, ".*"),
    )


def test_our_own_rules_come_first(tmp_path: Path):
    path = written(tmp_path, CARBON)
    own = parse(
        f'[store]\nstorage_aggregation = "{path}"\n[[store.aggregation]]\nmatch = "a.*"\nstatistic = "max"\n', "F"
    )
    assert own.store.aggregation_rules == (AggregationRule("a.*", Statistic.MAX), *read_aggregation(path))
    assert parse("", "F").store.aggregation_rules == ()


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("[a]\naggregationMethod = max\n", r"line 1, section \[a\] lacks pattern; expected pattern = ..."),
        ("[a]\npattern = (\n", r"section \[a\]: pattern '\(' is broken"),
        (
            "[a]\npattern = x\naggregationMethod = absmax\n",
            r"'absmax' is none that slots keep; expected one of average, sum, last, max, min",
        ),
        ("[a]\npattern = x\nxFilesFactor = 2\n", r"section \[a\]: xFilesFactor '2' is no share; expected 0 to 1"),
        ("[a]\nretentions = 1m:1d\n", r"line 2: 'retentions = 1m:1d' is no key of a section; expected pattern, "),
    ],
)
def test_what_is_wrong_is_told_with_file_and_section(tmp_path: Path, text: str, cause: str):
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=cause) as caught:
        parse(f'store.storage_aggregation = "{path}"', "FILE")
    assert f"cannot use key store.storage_aggregation in FILE line 1: {path}" in caught.value.problems[0]


def test_a_statistic_that_there_is_not_is_told():
    with pytest.raises(ConfigError, match=r"store\.aggregation\[0\]\.statistic .*there is none of that name; expected"):
        parse('[[store.aggregation]]\nmatch = "a"\nstatistic = "mode"\n', "FILE")
