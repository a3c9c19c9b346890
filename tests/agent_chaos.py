"""An agent, a server and the way between them, all of which are killed, cut and torn at random while slots are sent.

``PYTHONPATH=tests python -m agent_chaos SECONDS`` does so for as long as you like and tells what came of it; a short
run is one of the tests. Whoever sends to the agent is a program like those with sensors: it keeps what was not
answered. Beside it the agent follows a log, and now and then its disk is full, which also agents are killed and started
with. At the end each slot that was made, and each line that was logged, must be in the store exactly once.
"""

import random
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from servers import TALLYSTICK, Server, wait_until
from tallystick.model.address import Address
from tallystick.model.kind import Kind
from tallystick.native.client import NativeClient
from tallystick.native.messages import Slot
from tearing import TearingProxy

NATIVE = """
[[listeners]]
protocol = "native"
address = "tcp://127.0.0.1:0"
"""
SERIES = 20
LINES = "fleet.apps.app.lines"
"""The lines of the log, as they are counted for all hosts."""
_DRAIN_S = 120.0


@dataclass(slots=True)
class Outcome:
    """What was done, and what came of it: slots that were made, and those that are in the store never or twice; lines
    that were logged, and how many the store has more."""

    made: int
    missing: int
    doubled: int
    logged: int
    lines_beyond: int
    agent_kills: int
    server_kills: int
    full_disks: int
    cuts: int

    @property
    def is_exact(self) -> bool:
        """Whether everything is there once."""
        return not (self.missing or self.doubled or self.lines_beyond)

    def __str__(self) -> str:
        return (
            f"{self.made:,} slots made, {self.missing} missing, {self.doubled} doubled; {self.logged:,} lines logged, "
            f"{self.lines_beyond:+d} counted; the agent was killed {self.agent_kills} times, the server "
            f"{self.server_kills} times, the disk was full {self.full_disks} times, {self.cuts} connections were torn"
        )


class Chaos:
    """Everything of one run.

    Parameters
    ----------
    root
        A directory for the server's store, the agent's spool and their logs.
    """

    def __init__(self, root: Path, seed: int) -> None:
        self._choice = random.Random(seed)
        self._root = root
        self._server = Server(root, NATIVE)
        self._server.start()
        self._proxy = TearingProxy(self._server.port("native tcp"), seed, cut_bytes=20_000, delay_s=0.05)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._agent_port = probe.getsockname()[1]
        self._log = root / "app.log"
        self._log.touch()
        self._lines = 0
        self._disk_is_full = False
        self._agent = self._start_agent()
        wait_until(lambda: b"log:" in self._spooled(), "the log to be followed")
        self._client = NativeClient(Address("tcp", "127.0.0.1", self._agent_port), "program")
        self._begin_s = int(time.time()) // 10 * 10 - 5 * 86400
        self._beats = 0
        self._kills = [0, 0, 0]

    def run(self, duration_s: float) -> Outcome:
        """Send and kill for so long, and until both were killed and the disk was full, then let everything settle."""
        self._client.start()
        until_s = time.monotonic() + duration_s
        pause = threading.Event()
        while time.monotonic() < until_s or not all((*self._kills, self._proxy.cuts)):
            kill_s = time.monotonic() + self._choice.uniform(0.3, 2.5)
            while time.monotonic() < kill_s:
                self._offer()
                pause.wait(0.02)
            self._kill()
        self._proxy.is_kind = True
        self._fill_disk(is_full=False)
        assert self._client.wait_acknowledged(_DRAIN_S), "the agent does not answer"
        return self._settled()

    def close(self) -> None:
        """End all processes."""
        self._client.stop(0)
        self._agent.kill()
        self._agent.wait()
        self._proxy.close()
        self._server.kill()

    def _offer(self) -> None:
        at_ms = 1000 * (self._begin_s + 10 * self._beats)
        self._beats += 1
        with self._log.open("a") as log:
            log.write(f"line {self._beats}\n")
        self._lines += 1
        self._client.offer([Slot(f"chaos.n{k}", Kind.COUNTER, at_ms, 1.0) for k in range(SERIES)])

    def _kill(self) -> None:
        chosen = self._choice.random()
        if chosen < 0.3:
            self._kills[2] += not self._disk_is_full
            self._fill_disk(is_full=not self._disk_is_full, begun=len(self._spooled()))
        elif chosen < 0.85:
            self._agent.kill()
            self._agent.wait()
            self._kills[0] += 1
            self._agent = self._start_agent()
            self._fill_disk(is_full=self._disk_is_full, begun=0)
        else:
            self._server.kill()
            self._kills[1] += 1
            self._server.start()

    def _fill_disk(self, *, is_full: bool, begun: int = 0) -> None:
        """Have the agent's files grow no further, in the middle of whatever it writes; or again.

        Parameters
        ----------
        begun
            Bytes of the file that it is writing.
        """
        self._disk_is_full = is_full
        room = begun + self._choice.randrange(1000) if is_full else resource.RLIM_INFINITY
        resource.prlimit(self._agent.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    def _spooled(self) -> bytes:
        """The newest file of the spool."""
        segments = sorted((self._root / "spool").glob("*.segment"))
        return segments[-1].read_bytes() if segments else b""

    def _start_agent(self) -> "subprocess.Popen[bytes]":
        file = self._root / "agent.toml"
        file.write_text(f"""
[agent]
servers = ["tcp://127.0.0.1:{self._proxy.port}"]
spool = "{self._root / "spool"}"
environment = "fleet"
discover = false
[[logs]]
path = "{self._log}"
pattern = "line"
[[agent.doors]]
protocol = "native"
address = "tcp://127.0.0.1:{self._agent_port}"
""")
        with (self._root / "agent.log").open("ab") as output:
            command = [*TALLYSTICK, "agent", "--config", str(file)]
            return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    def _settled(self) -> Outcome:
        """Look until all is there, or nothing has come for long."""
        counts = wait_until(self._found, "the last slots", wait_s=_DRAIN_S)
        values = list(counts.values())
        wait_until(lambda: self._counted_lines() >= self._lines, "the last lines", self._counted_lines, _DRAIN_S)
        self._server.wait_until_safe()
        missing = SERIES * self._beats - len(values)
        return Outcome(
            SERIES * self._beats,
            missing,
            sum(value > 1.0 for value in values),
            self._lines,
            round(self._counted_lines()) - self._lines,
            *self._kills,
            self._proxy.cuts,
        )

    def _found(self) -> dict[tuple[str, int], float]:
        """How often each slot is in the store, once as many are there as were made."""
        found = self._server.render("chaos.*", since=str(self._begin_s - 10))
        counts = {
            (name, at_s): value
            for name, values in found.items()
            for at_s, value in values.items()
            if value is not None and at_s >= self._begin_s
        }
        is_all = len(counts) >= SERIES * self._beats
        return counts if is_all else {}

    def _counted_lines(self) -> float:
        return sum(sum(values.values()) for values in self._server.render(LINES, since="-2h").values())


def main(duration_s: float) -> int:
    """Run once, from a seed that is told."""
    seed = random.randrange(1 << 30)
    print(f"seed {seed}, {duration_s:.0f} s")
    with tempfile.TemporaryDirectory() as name:
        chaos = Chaos(Path(name), seed)
        try:
            outcome = chaos.run(duration_s)
        finally:
            chaos.close()
    print(outcome)
    return int(not outcome.is_exact)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 600.0))
