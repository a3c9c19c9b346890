"""Files that are scanned: read in windows, around sectors that the disk cannot read, and while they are written."""

import random
from pathlib import Path

import pytest

from faults import FailingReads
from stores import found, opened, put, wait_durable
from tallystick.files import Files, bytes_of
from tallystick.store.disk import file_bytes
from tallystick.store.disk.file_bytes import FileBytes
from tallystick.store.log.record import Record, Scan, frame

SECTOR = 4096


def records(sizes: list[int]) -> list[bytes]:
    random.seed(7)
    return [random.randbytes(size) for size in sizes]


def written(path: Path, payloads: list[bytes]) -> bytes:
    path.write_bytes(b"".join(bytes(bytes_of(part)) for payload in payloads for part in frame(Record([payload]))))
    return path.read_bytes()


@pytest.mark.parametrize("window", [16, 100, 5000, 1 << 20])
def test_records_are_the_same_whatever_the_size_of_the_window(
    tmp_path: Path, window: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(file_bytes, "_WINDOW_BYTES", window)
    payloads = records([0, 1, 15, 16, 17, 99, 5000, 20_000, 3])
    data = bytearray(written(tmp_path / "f", payloads))
    data[60] ^= 1
    (tmp_path / "f").write_bytes(data)
    with FileBytes(tmp_path / "f", Files()) as file:
        scan, whole = Scan(file), Scan(bytes(data))
        assert [bytes(p) for p in scan] == [bytes(p) for p in whole]
        assert (scan.end, scan.damaged_bytes) == (whole.end, whole.damaged_bytes)
        assert scan.damaged_bytes > 0


def test_a_sector_that_cannot_be_read_costs_the_records_in_it(tmp_path: Path):
    payloads = records([992] * 40)
    written(tmp_path / "f", payloads)
    files = FailingReads()
    files.fail("/f", 2 * SECTOR, 3 * SECTOR)
    with FileBytes(tmp_path / "f", files) as file:
        found = [bytes(p) for p in Scan(file)]
        assert file.unreadable_bytes == SECTOR
    missing = [k for k, payload in enumerate(payloads) if payload not in found]
    assert missing == [8, 9, 10, 11, 12]
    assert found == [p for k, p in enumerate(payloads) if k not in missing]


def test_an_error_that_passes_costs_nothing(tmp_path: Path):
    payloads = records([992] * 40)
    written(tmp_path / "f", payloads)
    files = FailingReads()
    files.fail("/f", times=1)
    with FileBytes(tmp_path / "f", files) as file:
        assert [bytes(p) for p in Scan(file)] == payloads
        assert file.unreadable_bytes == 0


def test_a_file_that_is_cut_while_it_is_read_ends_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(file_bytes, "_WINDOW_BYTES", 1000)
    payloads = records([900] * 10)
    data = written(tmp_path / "f", payloads)
    with FileBytes(tmp_path / "f", Files()) as file:
        scan = iter(Scan(file))
        assert bytes(next(scan)) == payloads[0]
        with (tmp_path / "f").open("r+b") as writer:
            writer.truncate(len(data) // 2)
        assert [bytes(p) for p in scan] == payloads[1:5]


def test_a_log_with_a_bad_sector_is_read_but_for_what_lay_in_it_and_says_so(tmp_path: Path):
    with opened(tmp_path) as store:
        for k in range(300):
            last = put(store, "a", {10 * k: 1.0})
        wait_durable(store, last)
    (segment,) = (tmp_path / "log").iterdir()
    files = FailingReads()
    files.fail(segment.name, SECTOR, 2 * SECTOR)
    with opened(tmp_path, files=files) as store:
        (problem,) = store.problems()
        assert problem == f"cannot read {SECTOR} bytes of {segment}: [Errno 5] Input/output error; passed over"
        slots = found(store, "a")
        assert 100 < len(slots) < 300
        assert set(slots.values()) == {1.0}
