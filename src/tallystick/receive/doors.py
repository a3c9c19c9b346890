"""`Doors`: the sockets that senders come by, as listeners of the config say."""

from collections.abc import Callable, Iterable, Mapping

from tallystick.config import Listener
from tallystick.model.address import Address
from tallystick.model.errors import StartError
from tallystick.parse import protocols
from tallystick.parse.contract import Parser
from tallystick.receive.datagrams import DatagramDoor
from tallystick.receive.encryption import tls_of
from tallystick.receive.intake import Intake
from tallystick.receive.streams import HandOver, StreamDoor


class Doors:
    """Opens listeners, then takes what comes; `open`, `start`, then `stop`.

    Parameters
    ----------
    furnish
        Gives a parser what it needs of the rest of the server, before its door is open.
    guests
        Who takes over a connection that speaks another protocol than its door's, by the door's.
    """

    def __init__(self, intake: Intake, furnish: Callable[[Parser], None], guests: Mapping[str, HandOver]) -> None:
        self._intake = intake
        self._furnish = furnish
        self._guests = guests
        self._streams = StreamDoor(intake)
        self._datagrams: list[DatagramDoor] = []
        self.listening: list[tuple[str, Address]] = []
        """Protocol and address of each that is open; ports are those that the system chose."""
        self.left_out: list[str] = []
        """Why others are not, a sentence each."""

    def open(self, listeners: Iterable[Listener], *, may_be_taken: bool) -> None:
        """Bind the sockets; nobody is answered yet.

        Parameters
        ----------
        may_be_taken
            Whether a server does without those that it cannot have.

        Raises
        ------
        StartError
            If one cannot be had; others may be open then.
        """
        for listener in listeners:
            try:
                self.listening.append((listener.protocol, self._opened(listener)))
            except StartError as error:
                if not may_be_taken:
                    raise
                self.left_out.append(str(error))

    def start(self) -> None:
        """Begin to receive."""
        self._streams.start()
        for door in self._datagrams:
            door.start()

    def stop(self) -> None:
        """Receive no more; what was received is handed on."""
        for door in self._datagrams:
            door.stop()
        self._streams.stop()

    def count_drops(self) -> None:
        """Have the ledger know what the system dropped of datagrams."""
        for door in self._datagrams:
            door.count_drops()

    def tell(self, protocol: str, text_for: Callable[[str], bytes]) -> None:
        """Say something to all who are connected by a protocol; see `StreamDoor.tell`."""
        self._streams.tell(protocol, text_for)

    def _opened(self, listener: Listener) -> Address:
        endpoint = listener.endpoint
        try:
            parser = protocols()[listener.protocol].configured(listener)
        except ValueError as error:
            raise StartError(f"cannot listen on {endpoint}: {error} (key listeners)") from None
        self._furnish(parser)
        if endpoint.datagrams:
            door = DatagramDoor(self._intake, endpoint, parser, listener.group)
            self._datagrams.append(door)
            return door.address
        hand_over, is_secret = self._guests.get(listener.protocol), bool(listener.token)
        return self._streams.open(endpoint, parser, hand_over, tls_of(listener), is_secret=is_secret)
