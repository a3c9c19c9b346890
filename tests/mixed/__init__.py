"""Mixed load: every registered protocol sends at once over its real door, while others misbehave and the server dies.

Three rounds (`rounds`):

- *killed at rest*: all senders send and come to an end. The ledger must balance to the sample for each; then the
  server is killed, and what its store holds on disk must be what was generated in all rounds.
- *killed in mid-load*: what was acknowledged is there exactly once, and nothing that nobody sent.
- *stopped in mid-load*: the same, and what the ledger says of that life, as its own series have it, is what is there.

Meanwhile garbage and floods of new names come in by the same doors from another address, connections end in
mid-message, bodies in mid-body (`trouble`), and good senders go away and come back between messages (`senders`).

``make soak`` does this for ``MIXED_S`` seconds; ``tests/e2e/test_mixed_load.py`` does some rounds.
"""

from mixed.loads import MARKS
from mixed.rounds import Mixed, mixed_load
from mixed.senders import POSTS

__all__ = ["MARKS", "POSTS", "Mixed", "mixed_load"]
