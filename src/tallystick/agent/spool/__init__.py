"""What waits on disk until every server has it.

`Spool` takes slots as numbered records and keeps a place for each destination; a `Reader` gives a destination the bytes
to send. A `Segment` is a file, a `Record` what was made safe at once; ``docs/internals/spool.md`` has their bytes.
"""

from tallystick.agent.spool.positions import Place
from tallystick.agent.spool.reader import Reader
from tallystick.agent.spool.spool import Spool, SpoolLimits

__all__ = ["Place", "Reader", "Spool", "SpoolLimits"]
