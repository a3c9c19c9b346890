"""Sending datagrams a few dozen at a call, at a pace: ``sendmmsg(2)`` called from compiled code.

A sender in plain Python reaches about what a server should take, and would be what is measured.
"""

import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba.core import types
from numpy.typing import NDArray

from bench.sender import Sender
from tallystick.kernels.compile import kernel

_sendmmsg: Any = types.ExternalFunction("sendmmsg", types.int32(types.int32, types.uintp, types.uint32, types.int32))
_HEADER_WORDS = 8
_AT_ONCE = 64


@kernel
def _send(descriptor: int, headers: NDArray[np.uint64], begin: int, end: int) -> int:
    while begin < end:
        sent = _sendmmsg(descriptor, headers[begin:].ctypes.data, min(end - begin, 1024), 0)
        if sent <= 0:
            return begin
        begin += sent
    return begin


def datagram_sender(port: int, datagrams: Sequence[bytes], rate: float | None) -> Sender:
    """Sends all datagrams, `rate` a second or as fast as the system takes them; its result is the seconds it took."""
    return _sender(port, datagrams, rate, lambda count, took_s: count >= len(datagrams), lambda count, took_s: took_s)


def repeated_datagrams(port: int, datagrams: Sequence[bytes], rate: float | None, seconds: float) -> Sender:
    """Sends datagrams in turn for so many seconds; its result is how many they were."""
    return _sender(port, datagrams, rate, lambda count, took_s: took_s >= seconds, lambda count, took_s: count)


def _sender(
    port: int,
    datagrams: Sequence[bytes],
    rate: float | None,
    is_over: Callable[[int, float], bool],
    result: Callable[[int, float], Any],
) -> Sender:
    """Sends datagrams from the first to the last and again, until it is over by their count and the seconds it took."""
    text = np.frombuffer(b"".join(datagrams), np.uint8)
    lengths = np.array([len(datagram) for datagram in datagrams], np.uint64)
    vectors = np.empty((len(lengths), 2), np.uint64)
    vectors[:, 0] = text.ctypes.data + np.cumsum(lengths) - lengths
    vectors[:, 1] = lengths
    headers = np.zeros((len(lengths), _HEADER_WORDS), np.uint64)
    headers[:, 2] = vectors.ctypes.data + 16 * np.arange(len(lengths), dtype=np.uint64)
    headers[:, 3] = 1

    def prepare() -> socket.socket:
        connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        connected.connect(("127.0.0.1", port))
        _send(connected.fileno(), headers, 0, 0)
        return connected

    def work(connected: socket.socket) -> Any:
        began, count = time.monotonic(), 0
        while not is_over(count, time.monotonic() - began):
            begin = count % len(headers)
            end = min(begin + _AT_ONCE, len(headers))
            if _send(connected.fileno(), headers, begin, end) != end:
                raise SystemExit("cannot send datagrams: the system takes no more")
            count += end - begin
            if rate is not None:
                time.sleep(max(began + count / rate - time.monotonic(), 0))
        return result(count, time.monotonic() - began)

    # The process is forked here and never leaves this function, so what the headers point to lives as long as it does.
    return Sender(prepare, work)
