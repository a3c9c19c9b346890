from pathlib import Path

import msgspec
import pytest

from tallystick.config import (
    DEFAULT_LISTENERS,
    EVERYTHING,
    Agent,
    Collector,
    Config,
    Http,
    Keep,
    Listener,
    Query,
    Rule,
    Store,
    builtin,
    load,
    parse,
    sample,
)
from tallystick.model.address import Address
from tallystick.model.errors import ConfigError


def test_a_file_without_listeners_gets_the_default_ones() -> None:
    assert parse("", "FILE").listeners == DEFAULT_LISTENERS
    assert parse("listeners = []", "FILE").listeners == ()


def test_a_file_without_collectors_collects_nothing() -> None:
    assert parse("[http]\n", "FILE").collectors == ()


def test_without_a_file_everything_is_collected_below_the_users_home() -> None:
    config = builtin({"XDG_DATA_HOME": "/data"})
    assert config.collectors == (Collector(name=EVERYTHING),)
    assert config.store.path == Path("/data/tallystick")
    assert builtin({}).store.path == Path.home() / ".local/share/tallystick"


def test_the_sample_loads_and_is_the_default_config() -> None:
    config = parse(sample(), "FILE")
    assert config == Config(collectors=(Collector(name=EVERYTHING),))


def test_the_examples_in_the_sample_load_once_their_marks_are_taken_away() -> None:
    text = sample()
    start = text.index("# [[rules]]")
    end = text.index("\n\n", start)
    rules = parse(text[start:end].replace("# ", ""), "FILE").rules
    assert [rule.block for rule in rules] == [True, False]
    assert rules[1].rewrite == r"^collectd\.([^.]+)\. -> hosts.\1."


@pytest.mark.parametrize(
    "table", [Http, Listener, Collector, Keep, Store, Query, Rule, Agent], ids=lambda t: t.__name__
)
def test_every_key_says_what_it_means_in_the_sample(table: type[msgspec.Struct]) -> None:
    text = " ".join(line.lstrip("# ") for line in sample().splitlines())
    for field in [field for field in msgspec.structs.fields(table) if field.encode_name]:
        described = msgspec.inspect.type_info(field.type)
        assert isinstance(described, msgspec.inspect.Metadata)
        assert (described.extra_json_schema or {})["description"] in text or table is Keep


def test_a_missing_file_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^cannot read config .*none\.toml: No such file or directory; expected"):
        load(tmp_path / "none.toml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(ConfigError, match="byte 5 is not UTF-8"):
        load(tmp_path / "x.toml")


def test_names_that_no_retention_matches_are_kept_by_the_default_one() -> None:
    rules = parse('store.retention = [{ match = "a.*", keep = "1s:1h" }]', "FILE").store.retention_rules
    assert [(rule.match, rule.retention.step_s) for rule in rules] == [("a.*", 1), ("*", 10)]


@pytest.mark.parametrize("text", ["tcp://127.0.0.1:2003", "udp://[::1]:0", "unix:///run/x.sock", "tcp://name:65535"])
def test_an_address_is_written_as_it_was_read(text: str) -> None:
    assert str(Address.parse(text)) == text


def test_only_this_machine_and_socket_files_are_loopback() -> None:
    near = ["tcp://127.0.0.1:1", "udp://localhost:1", "tcp://[::1]:1", "unix:///x"]
    assert all(Address.parse(text).loopback for text in near)
    assert not Address.parse("tcp://0.0.0.0:1").loopback
