"""Telling the system's service manager how far we are, where it asks to be told (``Type=notify`` of systemd).

Notes
-----
https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

import os
import socket
import time
from collections.abc import Mapping


def notify(state: str, environment: Mapping[str, str] | None = None) -> bool:
    """Tell a state such as ``READY=1``; False where nobody asks, or nobody listens.

    Parameters
    ----------
    environment
        By default that of the process.
    """
    address = (os.environ if environment is None else environment).get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection:
        try:
            connection.sendto(state.encode(), address.replace("@", "\0", 1))
        except OSError:
            return False
    return True


def reloading() -> str:
    """The state of one who reads his config again; `READY=1` ends it."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"
