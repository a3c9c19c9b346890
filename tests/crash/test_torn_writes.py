"""A write that a power cut tore in its middle: what of it is whole counts, and no series gets a wrong name."""

from pathlib import Path

import numpy as np

from stores import found, opened, put, wait_durable
from tallystick.files import bytes_of
from tallystick.kernels.packed import Names
from tallystick.model.kind import Kind
from tallystick.store.log.codec import encode_define
from tallystick.store.log.record import Record, frame


def definitions(first: int, *names: str) -> Record:
    ids = np.arange(first, first + len(names), dtype=np.int32)
    return Record(encode_define(ids, Names.of(names), np.zeros(len(names), np.uint8)))


def written(*records: Record) -> bytes:
    return b"".join(map(bytes_of, frame(*records)))


def test_whole_definitions_of_a_write_that_was_torn_count_and_the_others_never_were(tmp_path: Path):
    last = bytearray(written(definitions(1, "lost"), definitions(2, "behind")))
    last[30] ^= 255
    (tmp_path / "series").write_bytes(written(definitions(0, "safe")) + last)
    for _ in range(2):
        with opened(tmp_path) as store:
            assert store.problems() == []
            assert store.catalog.names(store.catalog.find("*")) == ["behind", "safe"]
    with opened(tmp_path) as store:
        wait_durable(store, put(store, "new", {0: 1.0}, Kind.GAUGE))
    with opened(tmp_path) as store:
        assert store.problems() == []
        assert store.catalog.names(store.catalog.find("*")) == ["behind", "new", "safe"]
        assert found(store, "new") == {0: 1.0}
        assert found(store, "safe") == found(store, "behind") == {}


def test_definitions_missing_from_a_write_that_others_follow_are_damage_that_costs_no_others(tmp_path: Path):
    first = bytearray(written(definitions(0, "lost"), definitions(1, "behind")))
    first[30] ^= 255
    (tmp_path / "series").write_bytes(first + written(definitions(2, "later")))
    with opened(tmp_path) as store:
        assert [problem for problem in store.problems() if "series: damaged, passed over" in problem]
        assert store.catalog.names(store.catalog.find("*")) == ["behind", "later"]
