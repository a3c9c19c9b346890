"""The native client where nobody listens."""

import socket
import time

from tallystick.model.address import Address
from tallystick.model.kind import Kind
from tallystick.native import NativeClient, Slot


def test_offers_never_wait_however_long_nobody_reads_them() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = Address("tcp", "127.0.0.1", closed.getsockname()[1])
    client = NativeClient(nobody, "web1", buffer_bytes_max=1000)
    for _ in range(5000):  # more than a pair of sockets holds
        client.offer([Slot("a", Kind.COUNTER, 0, 1.0)])
    assert client.counts.given == 5000
    client.start()
    began = time.monotonic()
    assert not client.wait_acknowledged(60, only_if_reached=True)
    assert time.monotonic() - began < 30
    client.stop(drain_s=0)
    assert client.counts.given == client.counts.dropped
