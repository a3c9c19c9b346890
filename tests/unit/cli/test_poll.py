"""``tallystick poll``, with targets that are threads of this test."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from click.testing import CliRunner, Result

from tallystick.cli.verbs import verbs

REPORT = b"""<GANGLIA_XML><CLUSTER NAME="web"><HOST NAME="web1">
<METRIC NAME="hits" VAL="17" TYPE="uint32" TN="0" SLOPE="positive"/>
<METRIC NAME="os_name" VAL="Linux" TYPE="string" TN="0" SLOPE="zero"/>
</HOST></CLUSTER></GANGLIA_XML>"""


@contextmanager
def saying(text: bytes) -> Iterator[str]:
    """The address of somebody who says this to the first who comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(text)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(verbs, ["poll", *arguments])


def test_what_a_target_gives_is_printed_and_what_would_be_rejected_is_told() -> None:
    with saying(REPORT) as address:
        result = invoke("ganglia", address)
    assert result.exit_code == 0
    (row,) = result.stdout.splitlines()
    assert row.split("\t")[:3] == ["ganglia.web.web1.hits", "cumulative", "17"]
    assert result.stderr.startswith("rejected as text: METRIC NAME=os_name")


def test_a_poll_that_fails_is_one_sentence_and_status_1() -> None:
    with saying(b"") as address:
        result = invoke("munin", address)
    assert result.exit_code == 1
    assert result.stderr == f"cannot poll {address}: it hung up; expected a whole line\n"


def test_an_address_that_cannot_be_asked_is_wrong_usage() -> None:
    result = invoke("munin", "http://web1:4949")
    assert result.exit_code == 2
    assert "munin is not asked over http; expected tcp or unix" in result.stderr
