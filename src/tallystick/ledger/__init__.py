"""The ledger: what every source sent, and what became of it.

Received + made by rules = stored + rejected (by reason) + in flight, for each peer of each source, each prefix of names
and each ten seconds. Blocked, throttled and duplicate samples are rejections with a reason; late ones are stored, and
counted.
"""

from tallystick.ledger.account import Account, Balance
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.offenders import Offender

__all__ = ["Account", "Balance", "Ledger", "Offender"]
