"""How commands change a store: by asking the server that has it open, or by opening it themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallystick.cli.options import server_extra

if TYPE_CHECKING:
    from tallystick.model.retention import RetentionRule
    from tallystick.store.embedded import EmbeddedStore

_TIMEOUT_S = 60.0
_ANSWER_BYTES_MAX = 256 << 20


def asked(server: str, token: str | None, path: str, fields: Sequence[tuple[str, str]]) -> Any:
    """What a server answers.

    Raises
    ------
    QueryError, ServerError
        If it refuses, or cannot be asked.
    """
    from tallystick.door.http import Server

    return Server(server, token or "", _TIMEOUT_S, _ANSWER_BYTES_MAX).json(path, fields)


@contextmanager
def opened(directory: Path, rules: tuple[RetentionRule, ...]) -> Iterator[EmbeddedStore]:
    """The store in a directory that no server has open.

    Raises
    ------
    StartError
        If there is none, or a server has it open.
    StoreError
        If it cannot be opened.
    """
    with server_extra():
        from tallystick.model.clock import SystemClock
        from tallystick.model.errors import StartError
        from tallystick.store.embedded import EmbeddedStore
    if not (directory / "manifest").is_file():  # else one would be made
        raise StartError(f"cannot open store {directory}: it has no manifest; expected a store's directory")
    store = EmbeddedStore(directory, rules, SystemClock())
    try:
        yield store
    finally:
        store.close()
