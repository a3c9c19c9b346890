"""A write that a power cut tore in its middle: definitions behind the gap do not count, and none gets a wrong name."""

from pathlib import Path

import numpy as np
import pytest

from stores import found, opened, put, wait_durable
from tallystick.model.errors import StoreError
from tallystick.model.kind import Kind
from tallystick.store.codec import encode_series
from tallystick.store.files import bytes_of
from tallystick.store.record import Record, frame


def definitions(first: int, *names: str) -> Record:
    return Record(encode_series(first, [name.encode() for name in names], np.zeros(len(names), np.uint8)))


def written(*records: Record) -> bytes:
    return b"".join(map(bytes_of, frame(*records)))


def test_definitions_behind_a_gap_in_the_last_write_are_dropped_and_their_numbers_given_again(tmp_path: Path):
    last = bytearray(written(definitions(1, "lost"), definitions(2, "behind")))
    last[30] ^= 255
    (tmp_path / "series").write_bytes(written(definitions(0, "safe")) + last)
    for _ in range(2):
        with opened(tmp_path) as store:
            assert store.problems() == []
            assert store.catalog.names(store.catalog.find("*")) == ["safe"]
    with opened(tmp_path) as store:
        wait_durable(store, put(store, "new", {0: 1.0}, Kind.GAUGE))
    with opened(tmp_path) as store:
        assert store.problems() == []
        assert store.catalog.names(store.catalog.find("*")) == ["new", "safe"]
        assert found(store, "new") == {0: 1.0}
        assert found(store, "safe") == {}


def test_definitions_missing_from_a_write_that_others_follow_stop_the_start(tmp_path: Path):
    first = bytearray(written(definitions(0, "lost"), definitions(1, "behind")))
    first[30] ^= 255
    (tmp_path / "series").write_bytes(first + written(definitions(2, "later")))
    with pytest.raises(StoreError, match=r"the definitions of series 0 to \d are damaged"), opened(tmp_path):
        pass
