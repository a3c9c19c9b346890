"""Real services for the tests, from Debian's packages: each with a directory of its own, on a free port."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from servers import cannot_run, wait_until

NOBODY = "nobody"
"""Whose processes those are that refuse to be root's."""
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postgresql/15/bin"


def program(name: str) -> str:
    """Where a program is; the test is skipped, by name, where it is not installed."""
    found = shutil.which(name, path=_PATH) or next(
        (str(file) for file in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None
    )
    return found or cannot_run(f"{name} is not installed; expected tools/install-senders to have run")


def answers(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as connection:
        connection.settimeout(1)
        return connection.connect_ex(("127.0.0.1", port)) == 0


def unprivileged(argv: Sequence[str]) -> list[str]:
    """A command for those that refuse to be root's: run by nobody, if we are root."""
    if os.geteuid():
        return list(argv)
    nobody = pwd.getpwnam(NOBODY)
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", *argv]


def give_to_nobody(path: Path) -> None:
    """Make a file or a directory below `open_path` theirs that run as nobody."""
    if os.geteuid() == 0:
        shutil.chown(path, NOBODY)


@dataclass(slots=True)
class Daemon:
    """A service that can be killed and started again where it was.

    Parameters
    ----------
    argv
        It stays in the foreground.
    root
        Its directory, with ``output`` for what it says.
    is_up
        Whether it answers.
    ending
        The signal that ends it at once, with all that it started.
    """

    argv: Sequence[str]
    root: Path
    is_up: Callable[[], bool]
    ending: signal.Signals = signal.SIGKILL
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    def start(self) -> "Daemon":
        with (self.root / "output").open("ab") as output:
            self.process = subprocess.Popen(
                list(self.argv), stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.root
            )
        wait_until(lambda: self.is_up() or self._has_ended(), f"{self.argv[0]} to answer")
        return self

    def kill(self) -> None:
        """End it without giving it time for anything; may be called twice."""
        if self.process is not None:
            self.process.send_signal(self.ending)
            self.process.wait(20)
            self.process = None

    def _has_ended(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            said = (self.root / "output").read_text(errors="replace")[-2000:]
            pytest.fail(f"{self.argv[0]} ended with {self.process.returncode}: {said}")
        return False
