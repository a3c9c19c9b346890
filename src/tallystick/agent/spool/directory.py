"""The spool's directory: ours alone, and for one process at a time."""

import fcntl
import os
from pathlib import Path

from tallystick.files import Files
from tallystick.model.errors import StartError


def lock_directory(directory: Path, files: Files) -> int:
    """Make a directory that only we can read, and hold it for as long as the descriptor is open.

    Raises
    ------
    StartError
        If it cannot be made or written, or another process has it.
    """
    try:
        files.make_directory(directory)
        directory.chmod(0o700)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartError(
            f"cannot use the spool {directory}: {error.strerror}; expected a directory of this user's own "
            "(key agent.spool)"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StartError(
            f"cannot use the spool {directory}: another agent has it; expected one of its own (key agent.spool)"
        ) from None
    return descriptor
