"""What sends to OpenTSDB, sending to us: potsdb by telnet, tcollector's way over HTTP, and curl."""

import gzip
import json
import shutil
import socket
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


def ask(server: Server, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """Status and body of the answer to HTTP on the port of the lines."""
    url = f"http://127.0.0.1:{server.port('opentsdb tcp')}{path}"
    request = urllib.request.Request(url, body, {key.replace("_", "-"): value for key, value in headers.items()})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_http_is_spoken_on_the_port_of_the_lines_for_points_and_nothing_else(shared_server: Server) -> None:
    now = int(time.time())
    points = [{"metric": f"shared.port.{k}", "timestamp": now, "value": k, "tags": {"k": "v"}} for k in range(30_000)]
    assert ask(shared_server, "/api/put?summary", json.dumps(points).encode()) == (200, b'{"success":30000,"failed":0}')
    assert shared_server.values("shared.port.29999;k=v") == [29999]
    assert json.loads(ask(shared_server, "/api/version")[1])["version"].startswith("2.4")
    assert ask(shared_server, "/render?target=shared.port.1")[0] == 404
    one = json.dumps(points[0]).encode()
    assert ask(shared_server, "/api/put", one, Origin="http://example.org")[0] == 403
    # An address that a page would be asked for by its own name is still the port of senders: they may put.
    assert ask(shared_server, "/api/put", one, Host="opentsdb.example.org")[0] == 204


def test_who_begins_with_a_command_is_not_taken_for_http(shared_server: Server) -> None:
    with socket.create_connection(("127.0.0.1", shared_server.port("opentsdb tcp"))) as connection:
        connection.sendall(b"version\nPOST / HTTP/1.1\n")
        answer = connection.makefile("rb")
        assert answer.readline().startswith(b"tallystick ")
        assert answer.readline() == b"unknown command: POST.  Try `help'.\n"
