"""Passwords: from a file or the environment, never from a command line, and never in a log.

In the config, ``password_file`` names a file that holds nothing else, read at each look so that it may change;
``password_env`` names a variable of the agent's environment.
"""

import os
import pwd
from pathlib import Path

from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.stream import said

_BYTES_MAX = 1 << 12


def password(file: str = "", variable: str = "") -> str:
    """What the file holds, without blanks around it, or the variable; empty if neither is named.

    Raises
    ------
    ServiceError
        If there is no such file or variable; the text names it, and never what it holds.
    """
    if variable:
        if variable not in os.environ:
            raise ServiceError(f"cannot read a password: the environment has no {variable}; expected it to be set")
        return os.environ[variable]
    if not file:
        return ""
    text = read_private(Path(file).expanduser())
    return text.strip()


def login() -> str:
    """Whom the system says that we are."""
    return pwd.getpwuid(os.geteuid()).pw_name


def read_if_private(file: Path) -> str:
    """As `read_private`; empty if there is no such file, or if eyes of others may have seen it."""
    if not file.is_file() or file.stat().st_mode & 0o077:
        return ""
    return read_private(file)


def read_private(file: Path) -> str:
    """The text of a small file.

    Raises
    ------
    ServiceError
        If it cannot be read, is too long or no text.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(_BYTES_MAX + 1)
        if len(data) > _BYTES_MAX:
            raise ServiceError(f"cannot read {file}: it has more than {_BYTES_MAX} bytes; expected a password")
        return data.decode()
    except OSError as error:
        raise ServiceError(f"cannot read {file}: {said(error)}; expected a file with a password") from error
    except UnicodeDecodeError:
        raise ServiceError(f"cannot read {file}: it is no UTF-8; expected a file with a password") from None
