"""What sends to InfluxDB, sending to us: its own client, in batches and not, and curl as its manual has it."""

import gzip
import json
import shutil
import subprocess
import time
from typing import Any

import pytest

from servers import START_S_MAX, Server, cannot_run, package

pytestmark = [pytest.mark.timeout(START_S_MAX + 60), pytest.mark.senders]


@pytest.fixture
def influxdb_client() -> Any:
    return package("influxdb_client")


@pytest.mark.parametrize("enable_gzip", [False, True])
def test_the_client_of_the_second_version_writes_and_its_numbers_are_there(
    shared_server: Server, influxdb_client: Any, enable_gzip: bool
) -> None:
    write_api = package("influxdb_client.client.write_api")
    measurement = f"room_{enable_gzip}"
    before = stored(shared_server, "http /api/v2/write")
    with influxdb_client.InfluxDBClient(shared_server.url, "no token", org="o", enable_gzip=enable_gzip) as client:
        assert client.ping()
        assert client.version().startswith("1.8")
        points = [
            influxdb_client.Point(measurement)
            .tag("host", f"web {k}")
            .field("temperature", 20 + k / 10)
            .field("open", True)
            .field("people", k)
            .time(int(time.time()), influxdb_client.WritePrecision.S)
            for k in range(50)
        ]
        api = client.write_api(write_options=write_api.SYNCHRONOUS, point_settings=write_api.PointSettings(site="here"))
        api.write("bucket", record=points)
    found = shared_server.render(f"{measurement}.people;host=web_7;site=here")
    assert [list(row.values()) for row in found.values()] == [[7]]
    assert stored(shared_server, "http /api/v2/write") - before == 150


def test_the_client_that_writes_in_batches_is_told_of_bad_lines_and_the_good_ones_are_there(
    shared_server: Server, influxdb_client: Any
) -> None:
    told: list[str] = []
    now = int(time.time())
    with influxdb_client.InfluxDBClient(shared_server.url, "no token", org="o") as client:
        options = influxdb_client.WriteOptions(batch_size=10, flush_interval=100, max_retries=0)
        with client.write_api(options, error_callback=lambda _, body, error: told.append(error.message)) as api:
            api.write("bucket", record=[f"batched,k={k} v={k} {now}" for k in range(5)], write_precision="s")
            api.write("bucket", record=["batched,k v=1 1"], write_precision="s")
    assert len(told) == 1 and "unable to parse 'batched,k v=1 1': missing tag value" in told[0]
    assert [list(row.values()) for row in shared_server.render("batched.v;k=4").values()] == [[4]]


def test_curl_writes_as_the_manual_of_the_first_version_has_it(shared_server: Server) -> None:
    if shutil.which("curl") is None:
        cannot_run("curl is not installed")
    created = curl("-XPOST", f"{shared_server.url}/query", "--data-urlencode", 'q=CREATE DATABASE "mydb"')
    assert json.loads(created) == {"results": [{"statement_id": 0}]}
    line = f"cpu_load_short,host=server01,region=us-west value=0.64 {int(time.time())}"
    packed = gzip.compress(line.encode())
    url = f"{shared_server.url}/write?db=mydb&precision=s&u=any&p=any"
    assert curl("-i", "-XPOST", url, "--data-binary", "@-", "-H", "Content-Encoding: gzip", body=packed).startswith(
        "HTTP/1.1 204"
    )
    (values,) = shared_server.render("cpu_load_short;host=server01;region=us-west").values()
    assert list(values.values()) == [0.64]


def curl(*arguments: str, body: bytes = b"") -> str:
    done = subprocess.run(["curl", "-sS", *arguments], input=body, capture_output=True, check=True)
    return done.stdout.decode()


def stored(server: Server, source: str) -> int:
    """What the ledger has of a source, which balances."""
    found = [balance for balance in server.get("/ledger")["sources"] if balance["source"] == source]
    assert all(balance["in_flight"] == 0 for balance in found)
    return sum(balance["stored"] for balance in found)
