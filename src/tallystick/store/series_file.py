"""The series file: the definitions of all series, in the order of their ids."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import StoreError
from tallystick.store.codec import decode_series
from tallystick.store.record import Scan


def read_series(path: Path, scan: Scan) -> Iterator[tuple[list[bytes], NDArray[np.uint8]]]:
    """Names and kinds of series, in batches by ascending id; the file goes on behind `Scan.whole_end`.

    Of a last write that was torn comes what has no gap before it.

    Raises
    ------
    StoreError
        If a definition is missing: samples would be shown under wrong names.
    """
    expected = 0
    for payload in scan:
        if scan.end > scan.whole_end:
            continue  # if a later write follows the gap, the definitions in it are missed there
        first_id, names, kinds = decode_series(payload)
        if first_id != expected:
            low, high = sorted((expected, first_id))
            raise lost_definitions(path, low, high - 1)
        expected += len(names)
        yield names, kinds


def lost_definitions(path: Path, first: int, last: int) -> StoreError:
    """What to raise if definitions are missing: a new name would get the number, and the samples, of a lost one."""
    return StoreError(
        f"cannot read {path}: the definitions of series {first} to {last} are damaged; "
        "expected them whole, restore the file from a copy"
    )
