"""The way in for Python programs: a store opened for reading or a server asked over HTTP, as NumPy, Arrow and pandas.

`open` takes a directory, `connect` an address; both give a `Database`, whose `query` gives a `Result`. Importing this
loads nothing heavy: `connect` needs NumPy and Arrow once columns arrive, `open` the packages of a server.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tallystick.database.database import Database
from tallystick.database.http import Server
from tallystick.database.remote import RemoteDatabase
from tallystick.database.result import Result
from tallystick.model.extras import needed
from tallystick.model.series import Part, Series

if TYPE_CHECKING:
    from tallystick.query import QueryLimits

DEFAULT_URL = "http://127.0.0.1:8080"
__all__ = ["Database", "Part", "Result", "Series", "connect", "open"]


def open(directory: str | os.PathLike[str], *, limits: QueryLimits | None = None) -> Database:
    """Open a store's directory for reading, also one that a server is writing to at the time.

    Parameters
    ----------
    directory
        That of ``store.directory`` in the server's config. Nothing in it is changed.
    limits
        How large one query may be; those of a server if not given.

    Returns
    -------
    Database
        The store as it is now; `Database.refresh` takes what has come since.

    Raises
    ------
    StoreError
        If there is no store, it cannot be read, or its format is another version's.
    """
    with needed("open a store", "server"):
        from tallystick.database.local import open_directory
    return open_directory(directory, limits)


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
