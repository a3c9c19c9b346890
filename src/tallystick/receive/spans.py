"""Datagrams of several peers in one batch: whose each row is, and whose each line that was no sample."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.ledger.attribution import Senders
from tallystick.parse import Parsed


@dataclass(frozen=True, slots=True)
class Unnamed:
    """What accounts sent that has no name.

    Parameters
    ----------
    accounts : int32[k]
        Numbers of accounts, each once.
    lines, size_bytes : int64[k]
        Rejected lines; bytes of all that was sent.
    rejected : int64[k, reasons]
        Those that were rejected, by reason.
    """

    accounts: NDArray[np.int32]
    lines: NDArray[np.int64]
    size_bytes: NDArray[np.int64]
    rejected: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Datagrams:
    """Where datagrams lie in a buffer, and whose they are.

    Parameters
    ----------
    offsets : int64[datagrams]
        Ascending.
    accounts : int32[datagrams]
        Numbers of their accounts.
    """

    offsets: NDArray[np.int64]
    accounts: NDArray[np.int32]

    def account_at(self, position: int) -> int:
        """The account of the datagram that a byte belongs to."""
        return int(self.accounts[np.searchsorted(self.offsets, position, side="right") - 1])


def brought(parsed: Parsed, samples: Senders, tallies: Senders, first_new: int) -> Iterator[tuple[int, int]]:
    """Accounts, and how many names each of them brought that are new: entries from `first_new` on."""
    columns = [(parsed.batch.ids, samples)]
    if parsed.tallies is not None:
        columns.append((parsed.tallies.ids, tallies))
    fresh = [np.flatnonzero(ids >= first_new) for ids, _ in columns]
    entries = np.concatenate([ids[rows] for rows, (ids, _) in zip(fresh, columns, strict=True)])
    if len(entries):
        who = np.concatenate([senders.of_rows(rows) for rows, (_, senders) in zip(fresh, columns, strict=True)])
        _, first = np.unique(entries, return_index=True)
        accounts, names = np.unique(who[first], return_counts=True)
        yield from zip(accounts.tolist(), names.tolist(), strict=True)


def senders_of(parsed: Parsed, accounts: NDArray[np.int32]) -> Senders:
    """Whose the samples are, of a batch of datagrams whose accounts are given (int32[datagrams])."""
    return Senders(accounts, np.append(parsed.began[1:, 0], len(parsed.batch)))


def tally_senders_of(parsed: Parsed, accounts: NDArray[np.int32]) -> Senders:
    """The same of tallied slots."""
    if parsed.tallies is None:
        return Senders(accounts, np.zeros(len(accounts), np.int64))
    return Senders(accounts, np.append(parsed.tallies_began[1:], len(parsed.tallies)))


def distinct(accounts: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The accounts there are (int32[k], ascending), and which of them each one is: intp[n]. They are small numbers."""
    present = np.bincount(accounts) > 0
    return np.flatnonzero(present).astype(np.int32), (np.cumsum(present) - 1)[accounts]


def unnamed_of(
    parsed: Parsed, accounts: NDArray[np.int32], offsets: NDArray[np.int64], lengths: NDArray[np.int32]
) -> Unnamed:
    """What each account sent that has no name.

    Whose a rejected line is and why it was rejected is exact for those that the parser noted with their place. Of the
    others of a batch it is known how many each account had, and how many each reason had; they are put together in
    their order.
    """
    who, place = distinct(accounts)
    unread_before = parsed.began[:, 1] - parsed.began[:, 0]
    if parsed.tallies is not None:
        unread_before = unread_before - parsed.tallies_began
    lines = _added(place, np.diff(unread_before, append=parsed.lines - parsed.taken), len(who))
    rejects = parsed.rejects
    rejected = np.zeros((len(who), len(rejects.counts)), np.int64)
    if rejects.total:
        spans = np.searchsorted(offsets, rejects.offset, side="right") - 1
        np.add.at(rejected, (place[spans], rejects.reason), 1)
        _put_together(lines - rejected.sum(axis=1), rejects.counts - rejected.sum(axis=0), rejected)
    return Unnamed(who, lines, _added(place, lengths, len(who)), rejected)


def _added(place: NDArray[np.intp], counts: NDArray[np.integer], size: int) -> NDArray[np.int64]:
    return np.bincount(place, counts, minlength=size).astype(np.int64)


def _put_together(lines: NDArray[np.int64], reasons: NDArray[np.int64], rejected: NDArray[np.int64]) -> None:
    """Add to a matrix so that its rows grow by `lines` at most and its columns by `reasons`."""
    account = 0
    for reason in np.flatnonzero(reasons > 0).tolist():
        left = int(reasons[reason])
        while left:
            is_last = account == len(lines) - 1
            taken = left if is_last else min(max(int(lines[account]), 0), left)
            rejected[account, reason] += taken
            lines[account] -= taken
            left -= taken
            if left:
                account += 1
