"""The door for Python programs: a store opened for reading or a server asked over HTTP, as NumPy, Arrow and pandas.

`connect` takes an address and gives a `Database`, whose `query` gives a `Result`. Importing this loads nothing heavy:
NumPy and Arrow are needed once columns arrive.
"""

from __future__ import annotations

import os

from tallystick.door.database import Database, Series
from tallystick.door.http import Server
from tallystick.door.remote import RemoteDatabase
from tallystick.door.result import Result

DEFAULT_URL = "http://127.0.0.1:8080"
__all__ = ["Database", "Result", "Series", "connect"]


def connect(
    url: str | None = None, *, token: str | None = None, timeout_s: float = 60.0, answer_bytes_max: int = 1 << 30
) -> Database:
    """Ask a running server.

    Parameters
    ----------
    url
        ``http://host:port``; else the environment's ``TALLYSTICK_SERVER``, else the server on this machine.
    token
        If the server asks for one; else the environment's ``TALLYSTICK_TOKEN``.
    timeout_s
        How long the server may stay silent.
    answer_bytes_max
        Larger answers are refused.

    Raises
    ------
    ServerError
        If no server answers there, it wants another token, or what answers is no Tallystick.
    """
    address = url or os.environ.get("TALLYSTICK_SERVER") or DEFAULT_URL
    server = Server(address, token or os.environ.get("TALLYSTICK_TOKEN", ""), timeout_s, answer_bytes_max)
    server.check()
    return RemoteDatabase(server)
