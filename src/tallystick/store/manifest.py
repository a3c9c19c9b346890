"""The manifest: the one file that says which blocks and which log segments make up the store.

It is replaced whole by a rename, so a crash leaves the old state or the new one. What it does not name does not exist,
so a flipped bit in it could cost anything: its first line has a checksum of all that follows, and it is kept twice.
"""

import msgspec

FILE_NAME = "manifest"
COPY_NAME = "manifest.copy"
FORMAT_VERSION = 2


class BlockEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block: slots of `step_s` seconds in ``[start_s, end_s)`` of series kept by `retention`.

    `number` names the file and grows in the order of writing. A block is `rolled` once the next coarser resolution
    holds its content: readers of coarser steps then pass it over. It is `primary` if it is of a coarser step than its
    retention's finest and its content never was in a finer block: imported history, or what a change of rules left.
    """

    number: int
    retention: str
    step_s: int
    start_s: int
    end_s: int
    series: int
    file_bytes: int
    rolled: bool = False
    compressed: bool = False
    primary: bool = False

    @property
    def file_name(self) -> str:
        """Name of the file below ``blocks/``."""
        return f"{self.number:010d}.block"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the store consists of beside the series file.

    `sequence` grows with each writing. `settled_s` is the time by which data was deleted for its age when it was
    written, and `scrubbed_s` that at which all checksums had last been verified; 0 if not yet.
    """

    sequence: int = 0
    next_block: int = 1
    first_segment: int = 1
    settled_s: int = 0
    scrubbed_s: int = 0
    blocks: tuple[BlockEntry, ...] = ()
