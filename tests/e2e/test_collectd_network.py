"""Debian's collectd with its network plugin: plain, signed, encrypted and wrongly so, beside its own write_graphite."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from collectd import network, plugins, put, running_collectd, sealed, unixsock, write_graphite

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
write_graphite = {{ prefix = "{prefix}" }}
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
    "web1.example.org/tests-a/gauge": "21.5",
    "web1.example.org/tests-a.b/gauge-x.y": "-2.75",
    '"web1.example.org/tests-c d/gauge-u:v"': "1e300",
    "web1.example.org/tests-a/derive-down": "-17",
    "web1.example.org/tests-a/counter": "4294967295",
    "web1.example.org/tests-a/absolute": "7",
    "web1.example.org/tests-b/if_octets": "1:123456789012345",
    "web1.example.org/tests-b/load": "0.25:0.5:0.125",
}


def server_of(root: Path, *, security: str = "none", prefix: str = "collectd.") -> Iterator[Server]:
    root.mkdir(exist_ok=True)
    auth_file = root / "passwd"
    auth_file.write_text("web: secret\n")
    listeners = LISTENERS.format(security=security, auth_file=auth_file, prefix=prefix)
    with running_server(root, listeners) as server:
        yield server


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Server]:
    yield from server_of(tmp_path / "server")


@pytest.fixture(params=["sign", "encrypt"])
def strict(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    yield from server_of(tmp_path / "server", security=request.param)


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
    with running_collectd(tmp_path / "collectd", config):
        wait_until(lambda: len(plain.values(SERIES[0])) > 1, f"two slots of {SERIES[0]}")
    by_network, by_graphite = everything(plain, "collectd."), everything(plain, "graphite.")
    assert by_network.keys() == by_graphite.keys()
    assert set(SERIES) <= {f"collectd.{name}" for name in by_network}


def test_values_are_those_of_write_graphite(plain: Server, tmp_path: Path) -> None:
    root = tmp_path / "collectd"
    graphite = write_graphite(plain.carbon_port, 'Prefix "graphite."', "StoreRates false")
    with running_collectd(root, unixsock(root) + graphite + network(plain.port("collectd udp"))):
        put(root, *(f"{name} {NOW}:{value}" for name, value in GIVEN.items()))
    # What both plugins gathered is sent at the latest at the end.
    wait_until(lambda: plain.values(f"collectd.{HOST}.tests-b.load.longterm"), "the last value")
    wait_until(lambda: plain.values(f"graphite.{HOST}.tests-b.load.longterm"), "the last value")
    by_network, by_graphite = everything(plain, "collectd."), everything(plain, "graphite.")
    assert len(by_network) == 11
    assert by_network == by_graphite
    assert plain.values(f"collectd.{HOST}.tests-a_b.gauge-x_y") == [-2.75]
    assert plain.values(f"collectd.{HOST}.tests-b.if_octets.tx") == [123456789012345.0]
    assert balanced(plain) == {}


def everything(server: Server, prefix: str) -> dict[str, dict[int, float]]:
    """Slots of all series, by their names without the prefix."""
    found = server.render(f"{prefix}*.*.*") | server.render(f"{prefix}*.*.*.*")
    return {name.removeprefix(prefix): slots for name, slots in found.items()}


def test_sealed_packets_are_taken_and_others_are_shown_in_the_ledger(strict: Server, tmp_path: Path) -> None:
    port = strict.port("collectd udp")
    for user, level, password in (("web", "Encrypt", "secret"), ("web", "Sign", "wrong"), ("stranger", "Encrypt", "x")):
        config = plugins("load") + network(port, sealed(level, user, password))
        with running_collectd(tmp_path / f"{user}-{level}", config, host=f"{user}-{level}"):
            if password == "secret":
                wait_until(lambda: strict.values("collectd.web-Encrypt.load.load.shortterm"), "a load")
            else:
                wait_until(lambda who=user: who in strict.offenders("signature"), f"the ledger to show {user}")
    with running_collectd(tmp_path / "open", plugins("load") + network(port), host="unsealed"):
        wait_until(lambda: "unsealed" in strict.offenders("signature")[0], "the ledger to show what was not sealed")
    assert strict.get("/metrics/find", query="collectd.*")[0]["text"] == "web-Encrypt"
    assert balanced(strict).keys() == {"signature"}


def test_signed_packets_are_taken_where_a_signature_is_enough(tmp_path: Path) -> None:
    for server in server_of(tmp_path / "server", security="sign"):
        config = plugins("load") + network(server.port("collectd udp"), sealed("Sign", "web", "secret"))
        with running_collectd(tmp_path / "collectd", config):
            wait_until(lambda server=server: server.values(SERIES[1]), "a load")
        assert balanced(server) == {}
