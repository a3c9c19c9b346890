"""A door of the native protocol that keeps what it hears, for tests of those who send; fastavro reads it."""

import contextlib
import io
import json
import socket
import struct
import subprocess
import threading
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fastavro

from tallystick.native import messages
from tallystick.sensors.settings import Settings, from_environment

PLACE = {"TALLYSTICK_APP": "shop", "TALLYSTICK_HOST": "web1", "TALLYSTICK_RUNTIME": "off", "TALLYSTICK_STATSD": "none"}
"""What a program of the tests is called, and that it says nothing of itself."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]
"""Runs a program in Python that sends to a door."""

SCHEMA = fastavro.parse_schema(
    json.loads((Path(__file__).parents[1] / "docs" / "reference" / "native.avsc").read_text())
)


class Hearing:
    """Takes connections until it is closed, answers every batch at once, and keeps its slots by name.

    Parameters
    ----------
    port
        0 for one that is free.
    """

    def __init__(self, port: int = 0) -> None:
        self.slots: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.names: dict[str, dict[str, Any]] = {}
        self.hellos: list[dict[str, Any]] = []
        self.generated = 0
        self._heard = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def close(self) -> None:
        for each in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def sum(self, name: str) -> float:
        """Of all that was counted in a name."""
        with self._heard:
            return sum(slot["spread"]["sum"] if slot["spread"] else slot["last"] for slot in self.slots[name])

    def wait(self, name: str, total: float | None = None, timeout_s: float = 30) -> list[dict[str, Any]]:
        """The slots of a name, once there are any, or once they come to a sum."""
        with self._heard:
            there = self._heard.wait_for(
                lambda: name in self.slots and (total is None or self.sum(name) >= total), timeout_s
            )
            assert there, f"{name} came to {self.sum(name)}, heard {sorted(self.slots)}"
            return list(self.slots[name])

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        names: list[dict[str, Any]] = []
        with contextlib.suppress(OSError, EOFError), connection, connection.makefile("rb") as stream:
            while True:
                (size, crc) = struct.unpack(">II", _whole(stream, 8))
                message = _whole(stream, size - 4)
                assert zlib.crc32(message) == crc
                kind, said = fastavro.schemaless_reader(io.BytesIO(message), SCHEMA, return_record_name=True)
                if kind.endswith("Hello"):
                    self.hellos.append(said)
                    connection.sendall(messages.framed(messages.welcome(1 << 20)))
                elif kind.endswith("Names"):
                    names += said["names"]
                    self.names |= {name["name"]: name for name in said["names"]}
                else:
                    self._keep(said, names)
                    connection.sendall(messages.framed(messages.taken(said["number"])))

    def _keep(self, batch: dict[str, Any], names: list[dict[str, Any]]) -> None:
        with self._heard:
            self.generated += batch["generated"]
            for slot in batch["slots"]:
                slot["at_ms"] += batch["base_ms"]
                slot["spread"] = slot["spread"] and slot["spread"][1]  # without the name of the record
                self.slots[names[slot["series"]]["name"]].append(slot)
            self._heard.notify_all()


def _whole(stream: Any, size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise EOFError
    return bytes(found)


@contextmanager
def hearing() -> Iterator[Hearing]:
    """A door that is open for a while."""
    door = Hearing()
    try:
        yield door
    finally:
        door.close()


def settings_for(door: Hearing, **environ: str) -> Callable[[], Settings]:
    """Settings of sensors that send to a door."""
    return lambda: from_environment({"TALLYSTICK_AGENT": door.address} | PLACE | environ, "")
