"""Debian's collectd with its network plugin, plain, signed, encrypted and wrongly so; write_http; write_graphite."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from collectd import (
    command,
    need_plugin,
    network,
    plugins,
    put,
    running_collectd,
    sealed,
    unixsock,
    write_graphite,
    write_http,
)

from servers import START_S_MAX, Server, running_server, wait_until

pytestmark = [pytest.mark.timeout(START_S_MAX + 120), pytest.mark.senders]

HOST = "web1_example_org"
LISTENERS = """
[[listeners]]
protocol = "carbon"
address = "tcp://127.0.0.1:0"
[[listeners]]
protocol = "collectd"
address = "udp://127.0.0.1:0"
security = "{security}"
auth_file = "{auth_file}"
write_graphite = {{ prefix = "collectd." }}
"""
SERIES = (
    f"collectd.{HOST}.cpu-0.cpu-user",
    f"collectd.{HOST}.load.load.shortterm",
    f"collectd.{HOST}.memory.memory-free",
    f"collectd.{HOST}.interface-lo.if_octets.rx",
    f"collectd.{HOST}.df-root.df_complex-free",
)
PLUGINS = plugins("cpu", "load", "memory", "interface", "df") + '<Plugin df>\nMountPoint "/"\n</Plugin>\n'

NOW = int(time.time())
GIVEN = {
    "{host}/tests-a/gauge": "21.5",
    "{host}/tests-a.b/gauge-x.y": "-2.75",
    '"{host}/tests-c d/gauge-u:v"': "1e300",
    "{host}/tests-a/derive-down": "-17",
    "{host}/tests-a/counter": "4294967295",
    "{host}/tests-a/absolute": "7",
    "{host}/tests-b/if_octets": "1:123456789012345",
    "{host}/tests-b/load": "0.25:0.5:0.125",
}
"""Values by their identifiers."""


def server_of(root: Path, *, security: str = "none") -> Iterator[Server]:
    root.mkdir(exist_ok=True)
    auth_file = root / "passwd"
    auth_file.write_text("web: secret\n")
    with running_server(root, LISTENERS.format(security=security, auth_file=auth_file)) as server:
        yield server


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes what is not sealed; each test has a host of its own."""
    yield from server_of(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module", params=["sign", "encrypt"])
def strict(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that demands this much."""
    yield from server_of(tmp_path_factory.mktemp("strict"), security=request.param)


def balanced(server: Server) -> dict[str, int]:
    """Rejects by reason, once nothing is in flight; what was received is stored or rejected."""
    door = "collectd udp"
    ledger = wait_until(lambda: next((b for b in [server.balance(door)] if not b["in_flight"]), None), "a balance")
    assert ledger["stored"] + sum(ledger["rejected"].values()) == ledger["received"]
    return ledger["rejected"]


def test_what_its_plugins_read_can_be_read_by_name(plain: Server, tmp_path: Path) -> None:
    with running_collectd(tmp_path / "collectd", PLUGINS + network(plain.port("collectd udp"))):
        wait_until(lambda: all(plain.values(name) for name in SERIES), f"values of {SERIES}")
    nodes = plain.get("/metrics/find", query=f"collectd.{HOST}.*")
    assert {"cpu-0", "df-root", "interface-lo", "load", "memory"} <= {node["text"] for node in nodes}
    assert all(value > 0 for value in plain.values(SERIES[2]))
    assert balanced(plain) == {}


def test_names_are_those_of_write_graphite(plain: Server, tmp_path: Path) -> None:
    config = PLUGINS + write_graphite(plain.carbon_port, 'Prefix "graphite."') + network(plain.port("collectd udp"))
    last = SERIES[0].replace("collectd", "graphite")
    with running_collectd(tmp_path / "collectd", config):
        wait_until(lambda: len(plain.values(last)) > 1, f"two slots of {last}")
    by_network, by_graphite = everything(plain, f"collectd.{HOST}."), everything(plain, f"graphite.{HOST}.")
    assert by_network.keys() == by_graphite.keys()
    assert set(SERIES) <= {f"collectd.{HOST}.{name}" for name in by_network}


def check_values(server: Server, root: Path, host: str, prefix: str, way: str) -> None:
    """Values that are given to a collectd come by a way as they come by write_graphite."""
    graphite = write_graphite(server.carbon_port, 'Prefix "graphite."', "StoreRates false")
    with running_collectd(root, unixsock(root) + graphite + way, host=host):
        put(root, *(f"{name.format(host=host)} {NOW}:{value}" for name, value in GIVEN.items()))
        # A collectd that ends drops what its plugins were not handed yet.
        for start in (prefix, "graphite."):
            wait_until(lambda start=start: flushed(root, server, f"{start}{host}."), f"all of {start}{host}")
    found = everything(server, f"{prefix}{host}.")
    assert found == everything(server, f"graphite.{host}.")
    assert found["tests-a_b.gauge-x_y"] == {NOW // 10 * 10: -2.75}
    assert found["tests-b.if_octets.tx"] == {NOW // 10 * 10: 123456789012345.0}


def flushed(root: Path, server: Server, prefix: str) -> bool:
    """Whether all series are there, after a collectd was asked for what its plugins gathered."""
    command(root, "FLUSH")
    return len(everything(server, prefix)) == 11


def test_values_are_those_of_write_graphite(plain: Server, tmp_path: Path) -> None:
    check_values(plain, tmp_path / "collectd", "packets", "collectd.", network(plain.port("collectd udp")))
    assert balanced(plain) == {}


@pytest.mark.parametrize("format_", ["JSON", "Command"])
def test_values_that_are_posted_are_those_of_write_graphite(plain: Server, tmp_path: Path, format_: str) -> None:
    need_plugin("write_http", "libyajl2 libcurl3-gnutls")
    check_values(plain, tmp_path / "collectd", format_.lower(), "", write_http(plain.url, format_))
    assert plain.balance("http /collectd")["rejected"] == {}


def everything(server: Server, prefix: str) -> dict[str, dict[int, float]]:
    """Slots of all series, by their names without the prefix."""
    found = server.render(f"{prefix}*.*") | server.render(f"{prefix}*.*.*")
    return {name.removeprefix(prefix): slots for name, slots in found.items()}


def test_signed_packets_are_taken_where_a_signature_is_enough(strict: Server, tmp_path: Path) -> None:
    config = plugins("load") + network(strict.port("collectd udp"), sealed("Sign", "web", "secret"))
    name = "collectd.web-Sign.load.load.shortterm"
    with running_collectd(tmp_path / "collectd", config, host="web-Sign", interval_s=0.1):
        wait_until(
            lambda: strict.values(name) or "web" in strict.offenders("signature"), "a load, or why there is none"
        )
    assert bool(strict.values(name)) == ('"sign"' in strict.more)


def test_sealed_packets_are_taken_and_others_are_shown_in_the_ledger(strict: Server, tmp_path: Path) -> None:
    port = strict.port("collectd udp")
    for user, level, password in (("web", "Encrypt", "secret"), ("web", "Sign", "wrong"), ("stranger", "Encrypt", "x")):
        config = plugins("load") + network(port, sealed(level, user, password))
        with running_collectd(tmp_path / f"{user}-{level}", config, host=f"{user}-{level}", interval_s=0.1):
            if password == "secret":
                wait_until(lambda: strict.values("collectd.web-Encrypt.load.load.shortterm"), "a load")
            else:
                wait_until(lambda who=user: who in strict.offenders("signature"), f"the ledger to show {user}")
    with running_collectd(tmp_path / "open", plugins("load") + network(port), host="unsealed", interval_s=0.1):
        wait_until(lambda: "unsealed" in strict.offenders("signature")[0], "the ledger to show what was not sealed")
    found = {node["text"] for node in strict.get("/metrics/find", query="collectd.*")}
    assert found - {"web-Sign"} == {"web-Encrypt"}
    assert balanced(strict).keys() == {"signature"}
