"""The terms of the ledger: what is counted for each account and prefix in each window.

What enters a stage leaves it in exactly one way::

    received      = parsed + rejected by the parser
    parsed + made = routed + rejected on the route
    routed        = stored + refused by the store + in flight

so received + made = stored + rejected + in flight. `LATE` is a part of what is stored. What is lost before it is
received (`KERNEL_DROPS`, `QUEUE_DROPS`) stands beside the sum, and `GENERATED` is what senders that number their
batches say.
"""

from tallystick.model.reason import Reason

BYTES = 0
RECEIVED = 1
"""Samples, and lines and messages that hold none because they are bad as a whole."""
PARSED = 2
"""Samples that a parser understood."""
ROUTED = 3
"""Samples that have a series and a time at which it is kept."""
STORED = 4
"""Samples that the store took: folded into its slots, and in the log's queue."""
LATE = 5
"""Stored samples of slots that were over for longer than a slot."""
GENERATED = 6
"""Samples that senders say they made."""
KERNEL_DROPS = 7
"""Datagrams that the kernel dropped as a socket's buffer was full."""
QUEUE_DROPS = 8
"""Connections, requests or messages that were turned away because a queue of ours was full."""
MADE = 9
"""Samples that rules made of others: what is multiplexed, and what goes into aggregates."""
REJECTED = 10
"""The first of the columns that count rejected samples, one for each `Reason`."""
COLUMNS = REJECTED + len(Reason)

WINDOW_S = 10
"""Seconds that a window lasts; windows are aligned to the epoch, and a sample belongs to that of its arrival."""

BY_CHOICE = (Reason.BLOCKED, Reason.WITHHELD, Reason.UNLISTED, Reason.AGGREGATED, Reason.RELAYED)
"""Why samples are rejected that an operator does not want here: nothing is lost, and no sender is told of a fault."""
TOO_MUCH = (Reason.THROTTLED, Reason.SAMPLES_LIMIT)
"""Why samples are rejected that would be taken later, when their sender has sent less."""
