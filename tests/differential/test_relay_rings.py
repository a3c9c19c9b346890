"""Which servers names go to: the same as the real carbon-c-relay says of thousands of names."""

import random
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from servers import cannot_run
from tallystick.relay.ring import Place, spreading

pytestmark = pytest.mark.senders

RELAY = Path("/usr/bin/carbon-c-relay")
WAYS = {"any": "any_of", "all": "forward"}
WORDS = ["web", "db", "cpu", "load", "a-b", "x_y", "p99", "7", "Ä", "servers", "::"]
SERVERS = {
    "ports of one host": [Place("127.0.0.1", 2103 + 7 * k) for k in range(5)],
    "hosts": [Place(f"127.0.0.{k}", 2003) for k in (9, 3, 27, 100)],
    "instances": [Place("127.0.0.1", 2003 + k, name) for k, name in enumerate(["b", "10", "9", "a", "2"])],
    "some instances": [Place("127.0.0.2", 2003), Place("127.0.0.1", 2004, "x"), Place("127.0.0.3", 2005)],
    "two": [Place("127.0.0.1", 2003, "1"), Place("127.0.0.1", 2004, "2")],
}


def some_names(seed: int, count: int) -> list[str]:
    lot = random.Random(seed)
    names = {".".join(lot.choices(WORDS, k=lot.randint(1, 6))) + f".n{lot.randrange(10**6)}" for _ in range(count)}
    return sorted(names) + [f"disk.used;host=web{k};dc=a" for k in range(200)]


def said_by_relay(root: Path, way: str, places: Sequence[Place], replication: int, names: list[str]) -> list[list[str]]:
    """The servers that carbon-c-relay would send each name to, in its order."""
    config = root / "relay.conf"
    servers = " ".join(f"{p.host}:{p.port}" + (f"={p.instance}" if p.instance else "") for p in places)
    copies = f"replication {replication}" if replication > 1 else ""
    config.write_text(f"cluster c {WAYS.get(way, way)} {copies} {servers} ;\nmatch * send to c stop;\n")
    command = [str(RELAY), "-t", "-f", str(config), "-c", "-_:#;=.~^Ä"]
    told = subprocess.run(
        command, input="\n".join(names) + "\n", capture_output=True, text=True, timeout=120, check=True
    )
    answers = re.split(r"^match\n    \* -> .*\n", told.stdout, flags=re.MULTILINE)[1:]
    return [re.findall(r"^        (\S+:\d+)$", answer, re.MULTILINE) for answer in answers]


@pytest.mark.parametrize("servers", SERVERS)
@pytest.mark.parametrize(
    ("way", "replication"),
    [*((way, n) for way in ("carbon_ch", "fnv1a_ch", "jump_fnv1a_ch") for n in (1, 2, 3)), ("any", 1), ("failover", 1)],
)
def test_each_name_has_the_servers_that_carbon_c_relay_gives_it(
    tmp_path: Path, way: str, replication: int, servers: str
) -> None:
    if not RELAY.exists():
        cannot_run(f"{RELAY} is missing: apt-get install carbon-c-relay")
    if (way, servers) == ("carbon_ch", "ports of one host"):
        replication = 1  # ports do not count, so there is one server; asked for two, carbon-c-relay never answers
    places, names = SERVERS[servers], some_names(replication, 2000)
    replication = min(replication, len(places))
    ring = spreading(way, places, replication)
    expected = said_by_relay(tmp_path, way, places, replication, names)
    assert len(expected) == len(names)
    for name, answer in zip(names, expected, strict=True):
        found = [f"{places[k].host}:{places[k].port}" for k in ring.members(name.encode())]
        assert found == answer, name


def test_more_copies_than_servers_are_as_many_as_there_are() -> None:
    places = SERVERS["two"]
    for way in ("carbon_ch", "fnv1a_ch", "jump_fnv1a_ch"):
        assert sorted(spreading(way, places, 5).members(b"a.b")) == [0, 1]
