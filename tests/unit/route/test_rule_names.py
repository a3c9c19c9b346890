"""What rules make of a name."""

from pathlib import Path

import pytest

from tallystick.config import Rule
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.native.names import Place
from tallystick.route import Decision, Facts, Naming

HERE = Place("prod", "stats", "stats1")
CARBON = Facts("carbon tcp://0.0.0.0:2003", "10.1.2.3")


def decided(name: str, *rules: Rule, facts: Facts = CARBON) -> Decision:
    return Naming(rules, HERE).decide(name, facts)


def named(name: str, *rules: Rule, facts: Facts = CARBON) -> str | Reason:
    return decided(name, *rules, facts=facts).name


def of_kind(kind: Kind) -> Facts:
    return Facts(CARBON.source, CARBON.peer, kind)


def test_rules_apply_in_order_each_to_what_the_last_one_made():
    rules = Rule(rewrite="^a -> b"), Rule(match="b.*", rewrite=r"^b\.(\w+) -> c.\1.\1"), Rule(match="a.*", block=True)
    assert named("a.x.y", *rules) == "c.x.x.y"


def test_a_rewrite_fills_in_what_is_known():
    rule = Rule(rewrite=r"^web\.(\w+) -> {environment}.{class}.{host}.{protocol}.\1")
    assert named("web.cpu.user", rule) == "prod.unknown.10_1_2_3.carbon.cpu.user"
    assert named("web.cpu", rule, facts=Facts("statsd udp://[::1]:8125", "127.0.0.1")) == "prod.stats.stats1.statsd.cpu"


def test_what_is_filled_in_is_no_template_itself():
    assert named(r"a.\1x", Rule(rewrite=r"^a\. -> "), Rule(multiplex=("b",))) == r"\1x"
    assert decided(r"\1x", Rule(multiplex=("copy.{name}",)), facts=of_kind(Kind.SET)).further == ((r"copy.\1x", False),)


def test_a_prefix_stands_before_names_of_its_sources_only():
    rule = Rule(source=("statsd", "10.2.0.0/16", "web*"), prefix="app")
    assert named("x", rule) == "x"
    assert named("x", rule, facts=Facts("statsd udp://127.0.0.1:8125")) == "app.x"
    assert named("x", rule, facts=Facts("carbon tcp://0.0.0.0:2003", "10.2.3.4")) == "app.x"
    assert named("x", rule, facts=Facts("carbon tcp://0.0.0.0:2003", "web1")) == "app.x"


def test_a_source_can_be_a_listener_and_all_words_of_one_have_to_hold():
    rule = Rule(source=("tcp://0.0.0.0:2003 10.1.0.0/16",), prefix="app")
    assert named("x", rule) == "app.x"
    assert named("x", rule, facts=Facts("carbon tcp://0.0.0.0:2004", "10.1.2.3")) == "x"
    assert named("x", rule, facts=Facts("carbon tcp://0.0.0.0:2003", "other")) == "x"


def test_hosts_classes_and_environments_follow_from_the_address():
    rules = (
        Rule(hosts={r"^10\.1\.2\.(\d+)$": r"oak-tp-web00\1"}),
        Rule(classes={r"^\w+-(\w+-\w+?)\d+[a-z]*$": r"\1", "": "unknown"}, environments={"-stg": "STAGE", "": "PROD"}),
        Rule(prefix="{environment}.hosts.{class}.{host}"),
    )
    assert named("load", *rules) == "PROD.hosts.tp-web.oak-tp-web003.load"
    assert named("load", *rules, facts=Facts("carbon x", "10.9.9.9")) == "PROD.hosts.unknown.10_9_9_9.load"


def test_the_host_can_stand_in_the_name():
    rules = Rule(host=r"^([^.]+)\."), Rule(prefix="{class}")
    assert named("web12.cpu.user", *rules) == "web.web12.cpu.user"
    of_name = Rule(hosts={"": "{name}"}), Rule(prefix="{host}")
    assert named("web12.cpu.user", *of_name) == "web12_cpu_user.web12.cpu.user"


def test_rules_look_at_kinds_and_tags():
    counters = Rule(kinds=("counter",), prefix="counters")
    assert named("x", counters, facts=of_kind(Kind.COUNTER)) == "counters.x"
    assert named("x", counters, facts=of_kind(Kind.GAUGE)) == "x"
    tagged = Rule(tags={"rack": "a*"}, prefix="racks")
    assert named("x;rack=a7;host=b", tagged) == "racks.x;host=b;rack=a7"
    assert named("x;rack=b7", tagged) == "x;rack=b7"
    assert named("x", tagged) == "x"


def test_counters_timings_and_sets_are_multiplexed_and_levels_are_not_unless_a_rule_says_so():
    copy = Rule(multiplex=("apps.{type}.{sent}", r"^hosts\.\w+ -> all"))
    assert decided("hosts.a.x", copy, facts=of_kind(Kind.COUNTER)).further == (
        ("apps.counters.hosts.a.x", False),
        ("all.x", False),
    )
    assert decided("hosts.a.x", copy, facts=of_kind(Kind.GAUGE)).further == ()
    levels = Rule(multiplex=("copy.{name}",), kinds=("gauge",))
    assert decided("x", levels, facts=of_kind(Kind.GAUGE)) == Decision("x", (("copy.x", False),))
    words = Rule(multiplex=("{type}.{name}",), types={"timing": "aggregate"})
    assert decided("x", words, facts=of_kind(Kind.TIMING)).further == (("aggregate.x", False),)


def test_later_rules_see_each_of_the_names():
    rules = Rule(multiplex=("a.{name}", "b.{name}")), Rule(match="b.*", block=True), Rule(match="a.*", prefix="z")
    assert decided("x", *rules, facts=of_kind(Kind.COUNTER)) == Decision("x", (("z.a.x", False),))


def test_a_name_that_is_blocked_lives_on_in_the_others():
    rules = Rule(multiplex=("a.{name}",)), Rule(regex="^x$", block=True)
    assert decided("x", *rules, facts=of_kind(Kind.COUNTER)) == Decision("a.x")


def test_two_names_that_become_the_same_are_one():
    assert decided("x", Rule(multiplex=("a.{name}", "a..{name}", "x")), facts=of_kind(Kind.SET)).further == (
        ("a.x", False),
    )


def test_what_stops_is_seen_by_no_later_rule():
    assert named("a.x", Rule(match="a.*", stop=True), Rule(prefix="p")) == "a.x"
    assert named("b.x", Rule(match="a.*", stop=True), Rule(prefix="p")) == "p.b.x"


def test_a_name_that_becomes_unusable_is_refused():
    assert named("x", Rule(rewrite="x -> ")) is Reason.NAME_EMPTY
    assert named("x", Rule(rewrite="x -> a b")) is Reason.NAME_BYTES
    assert named("x" * 1000, Rule(prefix="y" * 100)) is Reason.NAME_LONG


@pytest.mark.parametrize(
    ("line", "name", "output"),
    [
        ("<env>.all.requests (60) = sum <env>.*.requests", "prod.www01.requests", "prod.all.requests"),
        ("<env>.all.<<rest>> (60) = sum <env>.*.<<rest>>", "prod.www01.a.b.c", "prod.all.a.b.c"),
        (r"<d>.all (60) = sum <d>\d{2}.requests", "www01.requests", "www.all"),
        ("all.x (60) = sum a*c.x", "abbc.x", "all.x"),
        ("all.x (60) = sum a*c.x", "ab.c.x", ""),
        ("all.x (60) = sum *.x", "a.b.x", ""),
        ("all.x (60) = sum *.x", "a.x.y", ""),
    ],
)
def test_a_line_of_carbon_s_aggregation_rules_takes_what_carbon_takes(line: str, name: str, output: str):
    found = decided(name, Rule(aggregate=line))
    assert found == Decision(name, ((output, False),) if output else ())


def test_a_field_that_was_not_found_is_empty():
    line = "all.<a>.<b>.x (10) = sum (<a>.1|<b>.2)"
    assert decided("web.1", Rule(aggregate=line)).further == (("all.web.x", False),)


def test_what_goes_into_aggregates_can_be_kept_there_only():
    rule = Rule(aggregate="all.x (10) = p95 *.x", keep=False)
    assert decided("a.x", rule) == Decision(Reason.AGGREGATED, (("all.x", True),))
    assert decided("a.y", rule) == Decision("a.y")


def test_a_name_that_is_its_own_aggregate_goes_there_once():
    assert decided("all.x", Rule(aggregate="all.x (10) = sum *.x")) == Decision(Reason.AGGREGATED, (("all.x", False),))


def test_outputs_are_made_of_all_names_that_a_name_became_and_are_not_changed_by_later_rules():
    rules = (
        Rule(multiplex=("copy.{name}",), kinds=("gauge",)),
        Rule(aggregate="all.<what> (10) = sum <what>.x"),
        Rule(prefix="late"),
    )
    assert decided("a.x", *rules, facts=of_kind(Kind.GAUGE)).further == (("late.copy.a.x", False), ("all.a", False))


def test_carbon_s_other_files_are_read_as_they_are(tmp_path: Path):
    (tmp_path / "rewrite").write_text("# c\n[pre]\n^a\\. = b.\n[post]\n_sum$ =\n^b = {x}\n")
    (tmp_path / "black").write_text("^some\\.noisy\\..*\n\n# no\n\\.\\.\n")
    (tmp_path / "white").write_text("^b\\.\n")
    rewrite, black, white = (str(tmp_path / name) for name in ("rewrite", "black", "white"))
    pre, post = Rule(rewrite_rules=rewrite, section="pre"), Rule(rewrite_rules=rewrite, section="post")
    assert named("a.x_sum", pre) == "b.x_sum"
    assert named("a.x_sum", pre, post) == named("a.x_sum", Rule(rewrite_rules=rewrite)) == "{x}.x"
    assert named("some.noisy.x", Rule(blacklist=black)) is Reason.BLOCKED
    assert named("some.other.x", Rule(blacklist=black)) == "some.other.x"
    assert named("a.x", Rule(whitelist=white)) is Reason.UNLISTED
    assert named("a.x", pre, Rule(whitelist=white)) == "b.x"
    assert named("tallystick.store.series", Rule(whitelist=white)) == "tallystick.store.series"
    (tmp_path / "white").write_text("# nothing\n")
    assert named("a.x", Rule(whitelist=white)) == "a.x"
