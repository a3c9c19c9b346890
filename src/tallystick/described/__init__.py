"""What is known of series beside their numbers: unit, owner, description and alert, as programs say and people write.

`Descriptions` keeps it in a file beside the series and answers for a name; `Keeping` writes what senders say, and
forgets what no series is left of.
"""

from tallystick.described.descriptions import Descriptions, Written
from tallystick.described.keeping import Keeping
from tallystick.described.subject import subject_of

__all__ = [
    "Descriptions",
    "Keeping",
    "Written",
    "subject_of",
]
