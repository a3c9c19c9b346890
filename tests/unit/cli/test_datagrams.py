"""Lines packed into datagrams."""

from tallystick.cli.datagrams import DATAGRAM_BYTES_MAX, datagrams


def test_lines_are_packed_into_datagrams_that_fit_a_frame() -> None:
    lines = [f"name{number}:1|c" for number in range(1000)]
    packed = list(datagrams(lines))
    assert all(len(datagram) <= DATAGRAM_BYTES_MAX for datagram in packed)
    assert b"\n".join(packed).decode().split("\n") == lines
    assert len(packed) == -(-sum(len(line) + 1 for line in lines) // DATAGRAM_BYTES_MAX)
