"""The native client where nobody listens."""

from tallystick.model.address import Address
from tallystick.model.kind import Kind
from tallystick.native import NativeClient, Slot


def test_offers_never_wait_however_long_nobody_reads_them(deserted_port: int) -> None:
    client = NativeClient(Address("tcp", "127.0.0.1", deserted_port), "web1", buffer_bytes_max=1000)
    for _ in range(5000):  # more than a pair of sockets holds
        client.offer([Slot("a", Kind.COUNTER, 0, 1.0)])
    assert client.counts.given == 5000
    client.start()
    assert not client.wait_acknowledged(3600, only_if_reached=True), "it does not wait for what cannot come"
    client.stop(drain_s=0)
    assert client.counts.given == client.counts.dropped
