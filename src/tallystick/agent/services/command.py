"""Commands: started by their words and never by a shell, with an end in time and in bytes.

A command has a session of its own, so that it and all that it started (and did not hide from us) end together: when it
has come to its end, or its time is over.
"""

import contextlib
import grp
import os
import pwd
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.stream import said

OUTPUT_BYTES_MAX = 1 << 20
_ERRORS_BYTES_MAX = 1 << 12
_PIECE_BYTES = 1 << 14
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did.

    Parameters
    ----------
    status
        What it ended with, as a shell tells it: 128 more than the signal's number if one ended it.
    output
        What it said.
    errors
        The beginning of what it said beside that.
    """

    status: int
    output: str
    errors: str


def run(
    argv: Sequence[str],
    limit_s: float,
    environment: Mapping[str, str] | None = None,
    *,
    directory: str = "/",
    user: str = "",
    group: str = "",
) -> Result:
    """Run a command to its end.

    Parameters
    ----------
    environment
        All that it gets beside ``PATH`` and ``LC_ALL``: the agent's own may hold secrets.
    user, group
        Who it runs as, if the agent may choose; without a group it is the user's own.

    Raises
    ------
    ServiceError
        If it cannot be started, has not ended in time or says too much: then it is killed.
    """
    ends_s = time.monotonic() + limit_s
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**_ENVIRONMENT, **(environment or {})},
            cwd=directory,
            start_new_session=True,
            **_identity(user, group),
        )
    except (OSError, ValueError, KeyError) as error:
        cause = said(error) if isinstance(error, OSError) else str(error.args[0])
        raise ServiceError(f"cannot run {argv[0]}: {cause}; expected a program that can be started") from error
    try:
        output, errors = _heard(process, argv[0], ends_s, limit_s)
    finally:
        _end(process)
    status = process.returncode
    return Result(128 - status if status < 0 else status, output, errors)


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _identity(user: str, group: str) -> _Identity:
    """What `subprocess.Popen` is told; a KeyError if there is no such user or group."""
    if not user:
        return {}
    known = pwd.getpwnam(user)
    number = grp.getgrnam(group).gr_gid if group else known.pw_gid
    return {"user": known.pw_uid, "group": number, "extra_groups": [number]}


def _heard(process: "subprocess.Popen[bytes]", name: str, ends_s: float, limit_s: float) -> tuple[str, str]:
    """What the command says until it ends; what it started and left behind is not waited for."""
    assert process.stdout and process.stderr
    heard = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    limits = dict(zip(heard, (OUTPUT_BYTES_MAX, _ERRORS_BYTES_MAX), strict=True))
    output = process.stdout.fileno()
    ended = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            for file in (*heard, ended):
                if file != ended:
                    os.set_blocking(file, False)
                selector.register(file, selectors.EVENT_READ)
            over = False
            while not over:
                ready = [key.fd for key, _ in selector.select(max(0.0, ends_s - time.monotonic()))]
                if not ready:
                    raise ServiceError(f"cannot wait for {name}: no end within {limit_s:g} s; killed it")
                over = ended in ready  # a last look at what it had said by then
                for file in heard if over else ready:
                    if not _take(file, heard[file], limits[file], drain=over) and not over:
                        selector.unregister(file)
                if len(heard[output]) > OUTPUT_BYTES_MAX:
                    raise ServiceError(f"cannot read {name}: it says more than {OUTPUT_BYTES_MAX} bytes; killed it")
    finally:
        os.close(ended)
    texts = [bytes(data).decode("utf-8", "replace") for data in heard.values()]
    return texts[0], texts[1]


def _take(file: int, data: bytearray, limit: int, *, drain: bool) -> bool:
    """Read what is there, and keep it up to a bit beyond the limit; False at the end."""
    while True:
        try:
            piece = os.read(file, _PIECE_BYTES)
        except BlockingIOError:
            return True
        if len(data) <= limit:
            data += piece
        if not piece:
            return False
        if not drain or len(data) > limit:
            return True


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill the session's processes; before its first one is waited for, so that the number is still theirs."""
    with contextlib.suppress(ProcessLookupError):  # all have ended
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
    process.wait()
