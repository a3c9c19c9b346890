"""Which of the inputs that were not taken the ledger keeps as examples."""

import numpy as np
from numpy.typing import NDArray

from tallystick.ledger import Account, Ledger
from tallystick.model.reason import Reason
from tallystick.parse import NameTable, Rejects
from tallystick.receive.spans import Datagrams
from tallystick.route import RouteRejects, shown

_BYTES_MAX = 512
_NOTED_MAX = 8  # of one buffer: a flood of bad lines must not become work


def note_unread(
    ledger: Ledger, rejects: Rejects, buffer: NDArray[np.uint8], account: Account, datagrams: Datagrams | None
) -> None:
    """Note inputs that a parser rejected.

    Parameters
    ----------
    buffer : uint8[bytes]
        What was parsed.
    account
        Whose they are, unless `datagrams` tells that of each.
    """
    noted = zip(rejects.offset.tolist(), rejects.reason.tolist(), strict=True)
    for k, (offset, reason) in enumerate(noted):
        if k == _NOTED_MAX:
            return
        text = rejects.text(k, buffer, _BYTES_MAX)
        who = account if datagrams is None else ledger.numbered(datagrams.account_at(offset))
        ledger.note_offender(who.source, Reason(reason), text, who.peer)


def note_unrouted(ledger: Ledger, rejects: RouteRejects, account: Account) -> None:
    """Note names that the route rejected."""
    for reason, name in rejects.examples[:_NOTED_MAX]:
        ledger.note_offender(account.source, reason, name, account.peer)


def note_rows(
    ledger: Ledger,
    names: NameTable,
    entries: NDArray[np.int32],
    timestamp_ms: NDArray[np.int64],
    reason: Reason,
    account: Account,
) -> None:
    """Note samples or tallied slots that were refused: their names, and their times.

    Parameters
    ----------
    entries : int32[n]
        Of `names`; -1 for a name that has no place there.
    timestamp_ms : int64[n]
        Their times.
    """
    times_s = (timestamp_ms[:_NOTED_MAX] / 1000).tolist()
    for entry, at_s in zip(entries[:_NOTED_MAX].tolist(), times_s, strict=True):
        text = shown(names.name(entry)) + f" at {at_s:.0f}".encode() if entry >= 0 else b""
        ledger.note_offender(account.source, reason, text, account.peer)
