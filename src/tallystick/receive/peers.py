"""`Peers`: the accounts of those that datagrams come from."""

import ipaddress

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.peers import read_keys, tell_accounts
from tallystick.ledger import Account, Ledger

_INET, _INET6 = 2, 10


class Peers:
    """Accounts by address; those that come after as many as the ledger tells apart share one.

    Parameters
    ----------
    account
        Of the source as a whole: datagrams without an address (Unix sockets) are its own.
    """

    def __init__(self, ledger: Ledger, account: Account) -> None:
        self._ledger = ledger
        self._account = account
        self._known = np.zeros((ledger.peers_max + 2, 2), np.uint64)
        self._accounts = np.zeros(ledger.peers_max + 2, np.int32)
        self._accounts[0] = account.number  # of nobody: its key is zeros
        self._count = 1
        self._other = -1
        self._turns = ledger.turns

    def of(self, addresses: NDArray[np.uint8]) -> tuple[Account, NDArray[np.int32] | None]:
        """The account of all these datagrams, or that of the source and the account of each (int32[n])."""
        if self._turns != self._ledger.turns:  # some have another account now
            self._turns, self._count, self._other = self._ledger.turns, 1, -1
        keys = np.empty((len(addresses), 2), np.uint64)
        read_keys(addresses, keys)
        out = np.empty(len(addresses), np.int32)
        while (unknown := self._tell(keys, out)) >= 0:
            self._learn(keys[unknown], addresses[unknown])
        if (out == out[0]).all():
            return self._ledger.numbered(int(out[0])), None
        return self._account, out

    def _tell(self, keys: NDArray[np.uint64], out: NDArray[np.int32]) -> int:
        return tell_accounts(keys, self._known, self._count, self._accounts, self._other, out)

    def _learn(self, key: NDArray[np.uint64], address: NDArray[np.uint8]) -> None:
        account = self._ledger.account(self._account.source, _host_of_socket(address))
        if self._count == len(self._known) - 1:
            self._other = account.number
            return
        self._known[self._count], self._accounts[self._count] = key, account.number
        self._count += 1


def host_of(address: str) -> str:
    """An address without its zone, and as one of version 4 where it is that in the clothes of version 6."""
    host = address.partition("%")[0]
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return host
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _host_of_socket(address: NDArray[np.uint8]) -> str:
    if address[0] == _INET:
        return str(ipaddress.IPv4Address(address[4:8].tobytes()))
    return host_of(str(ipaddress.IPv6Address(address[8:24].tobytes())))
