"""What the server says of itself while a host that it polls is gone."""

import asyncio
from pathlib import Path

from tallystick.config import Config, Http, Poll, Store
from tallystick.receive.polls.poller import FAILURES_MAX
from tallystick.service import Service


def test_a_polled_target_that_is_gone_is_told_and_the_server_stays_ok(tmp_path: Path, deserted_port: int) -> None:
    address = f"tcp://127.0.0.1:{deserted_port}"
    polls = (Poll(protocol="munin", address=address),)
    config = Config(http=Http(address="127.0.0.1:0"), listeners=(), store=Store(directory=str(tmp_path)), polls=polls)
    service = Service(config)
    service.store.start()
    try:
        assert service.health().notices == []
        (target,) = service._poller.targets
        for _ in range(FAILURES_MAX):
            asyncio.run(service._poller.poll(target))
        health = service.health()
        (notice,) = health.notices
        assert notice.startswith(f"cannot poll munin {address}: ")
        assert (health.status, health.problems) == ("ok", [])
        assert target.account.snapshot().rejected == {"truncated": FAILURES_MAX}
        up = f"tallystick.polls.munin-tcp-127_0_0_1-{address.rpartition(':')[2]}.up"
        assert len(service.store.catalog.find(up)) == 1
    finally:
        service.stop()
