"""`History`: a piece of the past of some series, as an import brings it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tallystick.model.kind import Kind
from tallystick.model.tally import Tally


class Overlap(StrEnum):
    """What an import does with a slot that the store has already."""

    SKIP = "skip"  # what is there stays, so that an import can be repeated
    MERGE = "merge"  # both count, as if their samples had come one after the other


@dataclass(frozen=True, slots=True)
class History:
    """Slots of some series, before the store has given them ids.

    Parameters
    ----------
    names
        Canonical names.
    kinds
        The kind of each.
    tally
        Its ``series`` are positions in `names`.
    """

    names: Sequence[str]
    kinds: Sequence[Kind]
    tally: Tally

    def __len__(self) -> int:
        return len(self.tally)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of the slots of a `History`; the four add up to all of them.

    Parameters
    ----------
    taken
        They are on disk.
    present
        The store had them already (`Overlap.SKIP`).
    out_of_time
        Older than anything is kept, or too far in the future.
    refused
        Their names have another kind, or are none; or no samples can have had their statistics, see
        `tallystick.store.loading.usable`.
    """

    taken: int = 0
    present: int = 0
    out_of_time: int = 0
    refused: int = 0

    def __add__(self, other: "Loaded") -> "Loaded":
        return Loaded(
            self.taken + other.taken,
            self.present + other.present,
            self.out_of_time + other.out_of_time,
            self.refused + other.refused,
        )
