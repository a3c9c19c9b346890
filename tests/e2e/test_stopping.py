"""Stopping in order while everything is under way: a long query, a sender that goes on, an impatient operator."""

import signal
import threading
import time
from pathlib import Path

import httpx2
import pytest

from servers import CARBON, START_S_MAX, running_server, wait_until

pytestmark = pytest.mark.timeout(START_S_MAX + 120)

LONG = "/render?target=movingMedian(load.*,'100d')&from=-2y&format=json"
MORE = f"{CARBON}\n[query]\ntime_s_max = 600\n"


def test_neither_a_long_query_nor_a_second_signal_keeps_a_server_from_stopping_in_order(tmp_path: Path) -> None:
    with running_server(tmp_path, MORE) as server:
        process = server.process
        assert process is not None
        now = int(time.time())
        server.send(*(f"load.h{k} {k} {now}" for k in range(500)))
        ended: list[Exception] = []

        def ask() -> None:
            try:
                httpx2.get(f"{server.url}{LONG}", timeout=120)
            except httpx2.TransportError as error:
                ended.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        before_s = _cpu_s(process.pid)
        wait_until(lambda: _cpu_s(process.pid) > before_s + 1.0, "the query to compute")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            process.send_signal(number)
        assert process.wait(timeout=60) == 0
        asking.join()
        assert "all that was received is on disk" in server.log.read_text()
        server.start()
        assert len(server.render("load.*")) == 500


def _cpu_s(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
