"""Decoded pages: kept, and forgotten when they are too many."""

import numpy as np
from numpy.typing import NDArray

from tallystick.store.blocks.decoded import DecodedCache


def test_a_block_that_is_larger_than_all_the_room_is_not_kept_whole():
    cache, decoded = DecodedCache(bytes_max=20_000), []

    def decode(page: int) -> NDArray[np.float64]:
        decoded.append(page)
        return np.full(100, float(page))

    for page in range(100):
        kept = cache.of_block("large", 100)
        at, values = kept.of(np.array([page]), decode)
        assert (values[at[0] : at[0] + 100] == page).all()
        assert kept.size_bytes < 60_000
    assert decoded == list(range(100))
