"""Whatever stands in a file, the answer is a config or a list of problems."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tallystick.config import Config, sample
from tallystick.config.validate import convert, key_name

words = st.sampled_from([line.split(" = ")[0] for line in sample().splitlines() if " = " in line and line[0] != "#"])
tables = st.sampled_from(["http", "listeners", "collectors", "store", "query", "rules", "agent", "retention", "zebra"])
texts = st.sampled_from(
    ["", "cpu", "carbon", "tcp://127.0.0.1:1", "10s:1d", "a -> b", "(", "{host}", "\x00"]
) | st.text("a1.:/{}->*\n\u00e9", max_size=8)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.dates()
values = st.recursive(
    leaves,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(words | tables, below, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(tables, values, max_size=5))
def test_any_tables_are_a_config_or_problems(raw: dict[str, Any]) -> None:
    config, problems = convert(raw, Config)
    assert (config is None) == bool(problems)
    for problem in problems:
        assert key_name(problem.path)
        assert "expected" in problem.cause or "did you mean" in problem.cause
