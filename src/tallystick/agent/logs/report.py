"""The kinds of errors as a file, for whoever asks which errors there were: people, and what watches deploys."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tallystick.agent.logs.errors import ErrorKind, ErrorKinds

ERRORS_FILE = "log_errors.json"
"""Beside the spool: the kinds of errors that logs told of."""


class ToldError(msgspec.Struct, frozen=True):
    """A kind of error as it is in the file; the fields are those of `ErrorKind`."""

    fingerprint: str
    shape: str
    count: int
    first_s: float
    last_s: float
    examples: tuple[str, ...]


def as_json(logs: Mapping[str, ErrorKinds]) -> bytes:
    """The kinds of each log by its path, that seen last first."""
    told = {
        path: [_told(kind) for kind in sorted(kinds, key=lambda kind: kind.last_s, reverse=True)]
        for path, kinds in logs.items()
    }
    return msgspec.json.encode(told)


def write_errors(file: Path, content: bytes) -> None:
    """Replace the file as a whole; only its owner may read it, as log lines may hold anything.

    Raises
    ------
    OSError
        If it cannot be written; then the earlier one stays.
    """
    fresh = file.with_name(file.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
        fresh.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


def read_errors(file: Path) -> dict[str, list[ToldError]]:
    """The kinds of each log, as `as_json` told them.

    Raises
    ------
    OSError
        If the file cannot be read.
    msgspec.DecodeError
        If it is no such file.
    """
    return msgspec.json.decode(file.read_bytes(), type=dict[str, list[ToldError]])


def _told(kind: ErrorKind) -> ToldError:
    return ToldError(kind.fingerprint, kind.shape, kind.count, kind.first_s, kind.last_s, tuple(kind.examples))
