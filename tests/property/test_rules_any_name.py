"""Whatever a sender calls his numbers, rules make names of it that a series can have, or say why not."""

from hypothesis import example, given
from hypothesis import strategies as st

from tallystick.config import Rule
from tallystick.config.rules_file import parse_rules
from tallystick.config.rules_sample import SAMPLE
from tallystick.model.kind import Kind
from tallystick.model.name import is_canonical
from tallystick.model.reason import Reason
from tallystick.native.names import Place
from tallystick.route import Facts, Naming
from tallystick.route.explain import explain, series_of

RULES = (
    *parse_rules(SAMPLE, "sample.toml"),
    Rule(host=r"^([^.]+)"),
    Rule(prefix="{host}.{class}.{environment}.{peer}.{kind}", kinds=("timing",)),
    Rule(multiplex=(r"(\w)\.(\w) -> \2.\1", "{name}{sent}"), kinds=("counter", "gauge")),
    Rule(aggregate="out.<a>.<b> (10) = sum (<a>|x).<<b>>"),
    Rule(rewrite=r"(\W) -> \1\1"),
)
NAMING = Naming(RULES, Place("prod", "stats", "stats1"))
names = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(["a", ".", ";", "=", "\\", "1", "{host}", "\\1", "é", "web1", "debug", "load"])).map(
        "".join
    ),
)


@given(name=names, peer=st.sampled_from(["", "10.1.2.3", "::1", "other"]), kind=st.sampled_from(list(Kind)))
@example(name="a" * 1020 + ".b", peer="", kind=Kind.COUNTER)
def test_any_name_becomes_names_of_series_or_a_reason(name: str, peer: str, kind: Kind) -> None:
    facts = Facts("statsd udp://0.0.0.0:8125", peer, kind)
    found = NAMING.decide(name, facts)
    assert all(is_canonical(one) for one in series_of(found))
    assert len({*series_of(found)}) == len(series_of(found))
    assert isinstance(found.name, str) or (isinstance(found.name, Reason) and found.name is not Reason.NONE)
    told = explain(NAMING, name, facts)
    assert told.series == series_of(found)
    assert bool(told.refused) == isinstance(found.name, Reason)
