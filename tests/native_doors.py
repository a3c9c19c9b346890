"""A door for the native protocol over a store in memory, in this process; it can go away and come back."""

import ssl
from collections import Counter
from pathlib import Path

from posting import House
from tallystick.ledger import Balance
from tallystick.model.address import Address
from tallystick.parse.native import NativeParser
from tallystick.parse.native_connection import Greeting
from tallystick.receive import StreamDoor


class NativeDoor:
    """A door, and the house behind it, which stays when the door is closed.

    Parameters
    ----------
    greeting
        How senders are received.
    tls
        Where connections are encrypted.
    path
        Of a Unix socket, instead of a port of loopback.
    """

    def __init__(
        self, greeting: Greeting | None = None, tls: ssl.SSLContext | None = None, path: Path | None = None
    ) -> None:
        self.house = House()
        self.greeting = greeting or Greeting()
        self.address = Address("unix", path=str(path)) if path else Address("tcp", "127.0.0.1", 0)
        self._tls = tls
        self._door: StreamDoor | None = None
        if self.greeting.blocklist is not None:
            self.greeting.blocklist.when_changed(self._tell)

    def open(self) -> None:
        """Listen, at the same port each time."""
        door = StreamDoor(self.house.intake)
        parser = NativeParser()
        parser.greeting = self.greeting
        self.address = door.open(self.address, parser, None, self._tls, is_secret=bool(self.greeting.token))
        door.start()
        self._door = door

    def close(self) -> None:
        """Hang up, and refuse connections; may be called twice."""
        if self._door is not None:
            self._door.stop()
            self._door = None

    def balance(self) -> Balance:
        """What came, from all peers and at all times."""
        total: Counter[str] = Counter()
        rejected: Counter[str] = Counter()
        for one in self.house.ledger.balances():
            total.update({term: getattr(one, term) for term in ("received_bytes", "received", "stored", "generated")})
            rejected.update(one.rejected)
        return Balance(
            "native",
            total["received_bytes"],
            total["received"],
            total["stored"],
            dict(rejected),
            0,
            generated=total["generated"],
        )

    def _tell(self) -> None:
        if self._door is not None:
            self._door.tell("native", self.greeting.blocked)
