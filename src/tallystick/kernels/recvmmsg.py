"""Receiving many datagrams by one system call, without the GIL.

``recvmmsg(2)`` is called from compiled code by its symbol in libc, on structures laid out in NumPy arrays. The layout
of the structures is that of 64-bit Linux: ``struct iovec`` is two words, ``struct mmsghdr`` eight.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba.core import types
from numpy.typing import NDArray

from tallystick.kernels.compile import kernel

_recvmmsg: Any = types.ExternalFunction(
    "recvmmsg", types.int32(types.int32, types.uintp, types.uint32, types.int32, types.uintp)
)

MSG_WAITFORONE = 0x10000
ADDRESS_BYTES = 28
"""Of a ``struct sockaddr_in6``, the longest that a datagram comes from."""
_HEADER_WORDS = 8
_NAME_LENGTH_WORD = 1
_LENGTH_WORD = 7  # msg_len: the low half of the last word of a struct mmsghdr


@dataclass(frozen=True, slots=True)
class DatagramBuffers:
    """Memory for receiving up to `count` datagrams of up to `size` bytes; make it with `of`.

    Parameters
    ----------
    data : uint8[count * stride + padding]
        Datagram ``i`` begins at ``offsets[i]``.
    offsets : int64[count]
    lengths : int32[count]
        Set by `receive`.
    addresses : uint8[count, ADDRESS_BYTES]
        Set by `receive`: whom each came from, as ``struct sockaddr``; zeros where the sender's socket has no name.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int32]
    addresses: NDArray[np.uint8]
    _vectors: NDArray[np.uint64]
    _headers: NDArray[np.uint64]

    @classmethod
    def of(cls, count: int, size: int, padding: int) -> "DatagramBuffers":
        """Buffers; `padding` bytes behind the last datagram may be read by parsers."""
        stride = size + 64  # not a power of two: neighbours must not share cache sets
        data = np.empty(count * stride + padding, np.uint8)
        offsets = np.arange(count, dtype=np.int64) * stride
        vectors = np.empty((count, 2), np.uint64)
        vectors[:, 0] = data.ctypes.data + offsets
        vectors[:, 1] = size
        headers = np.zeros((count, _HEADER_WORDS), np.uint64)
        addresses = np.zeros((count, ADDRESS_BYTES), np.uint8)
        headers[:, 0] = addresses.ctypes.data + ADDRESS_BYTES * np.arange(count, dtype=np.uint64)
        headers[:, 2] = vectors.ctypes.data + 16 * np.arange(count, dtype=np.uint64)
        headers[:, 3] = 1
        return cls(data, offsets, np.zeros(count, np.int32), addresses, vectors, headers)

    def receive(self, descriptor: int) -> int:
        """Wait for a datagram, take all that are there, and return how many; -1 on a time-out or error (see errno)."""
        return _receive(descriptor, self._headers, self.lengths, self.addresses)


@kernel
def _receive(
    descriptor: int, headers: NDArray[np.uint64], lengths: NDArray[np.int32], addresses: NDArray[np.uint8]
) -> int:
    for i in range(len(headers)):
        headers[i, _NAME_LENGTH_WORD] = np.uint64(ADDRESS_BYTES)  # the system wrote there what it used
        addresses[i, 0] = addresses[i, 1] = 0
    n = _recvmmsg(descriptor, headers.ctypes.data, len(headers), MSG_WAITFORONE, 0)
    for i in range(n):
        lengths[i] = np.int32(headers[i, _LENGTH_WORD] & np.uint64(0xFFFFFFFF))
    return n
