"""What Tallystick costs on the hosts that are measured: the agent."""

import time
from collections.abc import Iterator

from bench.delivery import agent_of
from bench.figure import Figure, benchmark, load
from bench.process import Usage
from bench.server import free_port, running, temporary

_SETTLE_S = 15
_REST_S = 40


@benchmark("host")
def host() -> Iterator[Figure]:
    """The agent with all collectors over 40 s."""
    yield from agent()


def agent() -> Iterator[Figure]:
    """An agent process that sends to a server."""
    port = free_port()
    listener = f'[[listeners]]\nprotocol = "native"\naddress = "tcp://127.0.0.1:{port}"'
    with running(more=listener), temporary() as root:
        config = root / "agent.toml"
        config.write_text(f'[agent]\nservers = ["tcp://127.0.0.1:{port}"]\nspool = "{root / "spool"}"\n')
        with agent_of(config) as process:
            time.sleep(_SETTLE_S)
            before = Usage.of(process.pid)
            time.sleep(_REST_S)
            after = Usage.of(process.pid)
    share = 100 * (after.cpu_s - before.cpu_s) / (after.at_s - before.at_s)
    yield Figure("agent, all collectors: resident", after.resident_bytes / 1e6, "MB", at_most=40)
    yield Figure("agent, all collectors: CPU, share of one core", share, "%", at_most=1, note=load())
