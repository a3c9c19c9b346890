"""What sends to OpenTSDB, sending to us: potsdb by telnet, tcollector's way over HTTP, and curl."""

import gzip
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from servers import START_S_MAX, Server, cannot_run, package, wait_until

pytestmark = [pytest.mark.timeout(START_S_MAX + 60), pytest.mark.senders]


def test_potsdb_sends_by_telnet_and_its_numbers_are_there(shared_server: Server) -> None:
    port = shared_server.port("opentsdb tcp")
    client = package("potsdb").Client("127.0.0.1", port=port, host_tag="web-1")
    now = int(time.time())
    for k in range(100):
        client.log("potsdb.count", k, cpu=k, timestamp=now)
    client.wait()
    target = "sumSeries(seriesByTag('name=potsdb.count', 'host=web-1'))"
    wait_until(lambda: shared_server.values(target) == [sum(range(100))], "the sum of a hundred series")
    balance = shared_server.balance("opentsdb tcp")
    assert balance["received"] == balance["stored"] + sum(balance["rejected"].values())


def test_a_collector_over_http_is_told_which_of_its_points_failed(shared_server: Server) -> None:
    now = int(time.time())
    points = [
        {"metric": "proc.loadavg.1min", "timestamp": now, "value": 0.25 * k, "tags": {"host": f"web{k}"}}
        for k in range(200)
    ]
    points[7]["value"] = "none"
    request = urllib.request.Request(f"{shared_server.url}/api/put?details", json.dumps(points).encode())
    request.add_header("Content-type", "application/json")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    told: dict[str, Any] = json.load(caught.value)
    assert (caught.value.code, told["success"], told["failed"]) == (400, 199, 1)
    assert [error["datapoint"]["tags"]["host"] for error in told["errors"]] == ["web7"]
    assert shared_server.values("proc.loadavg.1min;host=web199") == [0.25 * 199]
    balance = shared_server.balance("http /api/put")
    assert balance["received"] == balance["stored"] + sum(balance["rejected"].values())


def test_curl_puts_a_point_in_chunks_and_packed(shared_server: Server) -> None:
    if shutil.which("curl") is None:
        cannot_run("curl is not installed")
    point = {"metric": "sys.cpu.nice", "timestamp": int(time.time()), "value": 18, "tags": {"host": "web01"}}
    url = f"{shared_server.url}/api/put?summary"
    headers = ["-H", "Content-Encoding: gzip", "-H", "Transfer-Encoding: chunked"]
    command = ["curl", "-sS", "-X", "POST", url, *headers, "--data-binary", "@-"]
    done = subprocess.run(command, input=gzip.compress(json.dumps(point).encode()), capture_output=True, check=True)
    assert json.loads(done.stdout) == {"success": 1, "failed": 0}
    assert shared_server.values("sys.cpu.nice;host=web01") == [18]
