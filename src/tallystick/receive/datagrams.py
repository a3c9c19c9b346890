"""`DatagramDoor`: UDP and Unix datagram sockets, each on a thread that blocks in ``recvmmsg``.

The kernel drops datagrams when a socket's buffer is full, which is what overload looks like here; it counts them, and
so does the ledger.
"""

import logging
import socket
import struct
import threading
import time
from pathlib import Path

from tallystick.kernels.recvmmsg import DatagramBuffers
from tallystick.ledger import Account
from tallystick.model.address import Address, Group
from tallystick.parse import PADDING, Parser
from tallystick.receive.intake import Intake
from tallystick.receive.multicast import join
from tallystick.receive.peers import Peers
from tallystick.sockets import bind, bound_address

logger = logging.getLogger(__name__)

_DATAGRAMS_AT_ONCE = 512
_DATAGRAM_BYTES_MAX = 65_536
_RECEIVE_BUFFER_BYTES = 32 << 20
_WAIT_S = 0.2  # how long a thread blocks before it looks whether to stop
_GATHER_S = 0.005
"""How long a thread lets datagrams gather when it found few: a hand-over costs as much for one as for hundreds."""
_GATHER_SMALL_S = 0.001  # where the system grants only its default buffer, which takes some 500 datagrams
_SMALL_BUFFER_BYTES = 4 << 20
_DROPS_S = 1.0
"""So often the kernel is asked what it dropped, for a window to have its own drops."""
_SO_RCVBUFFORCE = 33
_SO_MEMINFO = 55
_MEMINFO_DROPS = 8  # its position among the 32-bit counters of SO_MEMINFO


class DatagramDoor:
    """A socket for datagrams and the thread that empties it.

    Parameters
    ----------
    group
        A multicast group to join; other sockets may be bound to its port, too.

    Raises
    ------
    StartError
        If the address cannot be bound or the group cannot be joined.
    """

    def __init__(self, intake: Intake, address: Address, parser: Parser, group: Group | None = None) -> None:
        self._intake = intake
        self._parser = parser
        self._socket = bind(address, socket.SOCK_DGRAM, shared=group is not None)
        if group is not None:
            join(self._socket, group)
        granted_bytes = self._widen()
        self._gather_s = _GATHER_S if granted_bytes >= _SMALL_BUFFER_BYTES else _GATHER_SMALL_S
        if address.local:  # where the system has room for ten datagrams only, whatever their size, and senders wait
            self._gather_s = 0.0
        seconds = int(_WAIT_S)
        self._socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", seconds, int((_WAIT_S - seconds) * 1e6))
        )
        self.address = bound_address(address, self._socket)
        self._account: Account = intake.ledger.account(f"{parser.protocol} {self.address}")
        self._peers = Peers(intake.ledger, self._account)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"datagrams {self.address}", daemon=True)

    def start(self) -> None:
        """Receive, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the socket."""
        self._stopping = True
        if self._thread.is_alive():
            self._thread.join()
        self.count_drops()
        self._socket.close()
        if self.address.local:
            Path(self.address.path).unlink(missing_ok=True)

    def count_drops(self) -> None:
        """Bring the kernel's count of dropped datagrams into the ledger; the last one once the door is closed."""
        if self._socket.fileno() < 0:
            return
        memory = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36)
        if len(memory) == 36:
            self._account.kernel_dropped(struct.unpack("9I", memory)[_MEMINFO_DROPS])

    def _run(self) -> None:
        buffers = DatagramBuffers.of(_DATAGRAMS_AT_ONCE, _DATAGRAM_BYTES_MAX, PADDING)
        descriptor = self._socket.fileno()
        counted_s = self._intake.clock.monotonic()
        while not self._stopping:
            received = buffers.receive(descriptor)
            if self._intake.clock.monotonic() >= counted_s + _DROPS_S:
                counted_s = self._intake.clock.monotonic()
                self.count_drops()
            if received <= 0:
                continue
            try:
                account, peers = self._peers.of(buffers.addresses[:received])
                offsets, lengths = buffers.offsets[:received], buffers.lengths[:received]
                self._intake.parse_datagrams(self._parser, buffers.data, offsets, lengths, account, peers)
            except Exception:
                # Whatever some datagrams provoke must not stop the thread: those that follow are others'.
                logger.exception("cannot take datagrams at %s", self._account.source)
            if received < _DATAGRAMS_AT_ONCE // 2:
                time.sleep(self._gather_s)

    def _widen(self) -> int:
        """Ask for a large receive buffer, beyond the system's limit if we may, else up to it; returns what we got."""
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
