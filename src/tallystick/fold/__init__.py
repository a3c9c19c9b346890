"""Folding: samples into the statistics of slots.

`OpenSlot` is the fast path, one slot that samples are arriving for; `fold_batch` folds any samples at once (late
ones, history). Both give `Tally`s; `percentiles_of` and the sketches of sets live here too, since only folding knows
what is in them.
"""

from tallystick.fold.batch import fold_batch
from tallystick.fold.slot import OpenSlot

__all__ = ["OpenSlot", "fold_batch"]
