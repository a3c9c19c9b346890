"""The ledger: what every source sent, and what became of it.

Received = stored + rejected (by reason). Blocked, throttled, late and unstorable samples are rejections with a
reason; while a batch is between the socket and the store the difference is what is in flight.
"""

from tallystick.ledger.account import Account, Balance, Ledger, Offender

__all__ = ["Account", "Balance", "Ledger", "Offender"]
