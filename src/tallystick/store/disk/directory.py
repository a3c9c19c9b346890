"""The store's directory: ours alone while it is open."""

import fcntl
import os
from pathlib import Path

from tallystick.files import Files
from tallystick.model.errors import StartError


def lock_directory(directory: Path, files: Files) -> int:
    """Make a directory, if need be, and hold it for as long as the descriptor returned is open.

    Raises
    ------
    StartError
        If it cannot be made or written, or another process has it open.
    """
    try:
        files.make_directory(directory)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise StartError(
            f"cannot use store directory {directory}: {error.strerror}; expected one that this user may write "
            "(key store.directory)"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StartError(f"cannot use store directory {directory}: another process has it open") from None
    return descriptor
