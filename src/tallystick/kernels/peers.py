"""Addresses of datagrams to the accounts of their senders, whatever port they send from."""

import numpy as np

from tallystick.kernels.compile import load_u64, scanner

_INET, _INET6 = 2, 10  # AF_INET and AF_INET6 of Linux
_LOW_HALF = np.uint64(0xFFFFFFFF)


@scanner
def read_keys(addresses: np.ndarray, keys: np.ndarray) -> None:
    """The hosts of addresses, as two words each.

    Parameters
    ----------
    addresses : uint8[n, 28]
        ``struct sockaddr_in`` or ``sockaddr_in6``; others are nobody's.
    keys : uint64[n, 2]
        Output; zeros for nobody.
    """
    flat = addresses.reshape(-1)
    for k in range(len(addresses)):
        start = k * addresses.shape[1]
        family = addresses[k, 0]
        keys[k, 0], keys[k, 1] = np.uint64(0), np.uint64(0)
        if family == _INET:
            keys[k, 0] = load_u64(flat, start + 4) & _LOW_HALF
            keys[k, 1] = np.uint64(_INET)  # no address of version 6 in use ends with these bytes
        elif family == _INET6:
            keys[k, 0] = load_u64(flat, start + 8)
            keys[k, 1] = load_u64(flat, start + 16)


@scanner
def tell_accounts(
    keys: np.ndarray, known: np.ndarray, count: int, accounts: np.ndarray, other: int, out: np.ndarray
) -> int:
    """Write the account of each datagram.

    Parameters
    ----------
    keys : uint64[n, 2]
    known : uint64[peers, 2], accounts : int32[peers]
        The first `count` are in use.
    other : int
        The account of those that are not known; -1 to be told of the first one.
    out : int32[n]

    Returns
    -------
    int
        Position of the first that is not known, or -1.
    """
    last = 0
    for k in range(len(keys)):
        if last >= count or known[last, 0] != keys[k, 0] or known[last, 1] != keys[k, 1]:
            last = 0
            while last < count and (known[last, 0] != keys[k, 0] or known[last, 1] != keys[k, 1]):
                last += 1
        if last < count:
            out[k] = accounts[last]
        elif other < 0:
            return k
        else:
            out[k] = other
    return -1
