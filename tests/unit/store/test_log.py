"""The log: what is acknowledged is on disk, once, whatever the disk does in between."""

import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import RefusingFiles
from tallystick.files import Files
from tallystick.model.clock import ManualClock
from tallystick.model.errors import StoreError
from tallystick.store.log import log as log_module
from tallystick.store.log.log import Log, segment_path, segments
from tallystick.store.log.record import Scan


@pytest.fixture
def files() -> RefusingFiles:
    return RefusingFiles()


@pytest.fixture(autouse=True)
def no_long_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "_RETRY_S", 0.005)


@pytest.fixture
def log(tmp_path: Path, files: RefusingFiles) -> Iterator[Log]:
    log = open_log(tmp_path, files)
    yield log
    files.recover()
    log.close()


def open_log(directory: Path, files: Files, *, queue_bytes_max: int = 1 << 20) -> Log:
    clock = ManualClock()
    return Log(
        directory, directory / "series", 1, clock, commit_interval_s=0.001, queue_bytes_max=queue_bytes_max, files=files
    )


def wait(log: Log, ticket: int) -> None:
    safe = threading.Event()
    log.when_durable(ticket, safe.set)
    assert safe.wait(30)


def wait_for_error(log: Log) -> str:
    for _ in range(3000):
        if error := log.status().error:
            return error
        threading.Event().wait(0.01)
    raise AssertionError("the log has met no error")


def records(path: Path) -> list[bytes]:
    scan = Scan(path.read_bytes())
    found = [bytes(payload) for payload in scan if payload]  # an empty one marks the end of a segment
    assert scan.damaged_bytes == 0
    return found


def test_records_are_on_disk_in_their_order_when_their_tickets_are(log: Log, tmp_path: Path):
    tickets = [log.append([str(k).encode()], samples=1) for k in range(100)]
    assert tickets == sorted(tickets)
    wait(log, tickets[-1])
    assert all(log.durable(ticket) for ticket in tickets)
    assert records(segment_path(tmp_path, 1)) == [str(k).encode() for k in range(100)]
    assert log.status().unsafe_samples == 0
    assert log.status().unsafe_s == 0.0


def test_what_is_not_yet_on_disk_is_said(log: Log, files: RefusingFiles):
    files.fail(errno.EIO)
    ticket = log.append([b"x"], samples=7)
    wait_for_error(log)
    assert not log.durable(ticket)
    assert log.status().unsafe_samples == 7


def test_calls_come_once_the_ticket_is_safe_and_at_once_if_it_is(log: Log):
    ticket = log.append([b"x"])
    wait(log, ticket)
    called = []
    log.when_durable(ticket, lambda: called.append(threading.current_thread().name))
    assert called == [threading.current_thread().name]


def test_a_caller_that_has_gone_away_does_not_stop_the_log(log: Log):
    def gone() -> None:
        raise RuntimeError("Event loop is closed")

    log.when_durable(1, gone)
    wait(log, log.append([b"x"]))
    wait(log, log.append([b"y"]))


def test_records_after_a_rotation_are_in_the_next_segment(log: Log, tmp_path: Path):
    log.append([b"before"])
    assert log.rotate() == 2
    wait(log, log.append([b"after"]))
    assert records(segment_path(tmp_path, 1)) == [b"before"]
    assert records(segment_path(tmp_path, 2)) == [b"after"]
    log.drop_before(2)
    assert segments(tmp_path) == [2]


def test_definitions_go_to_the_series_file(log: Log, tmp_path: Path):
    log.append([b"definition"], series=True)
    wait(log, log.append([b"sample"]))
    assert records(tmp_path / "series") == [b"definition"]
    assert records(segment_path(tmp_path, 1)) == [b"sample"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize(
    "refused",
    [("append",), ("sync",), ("append", "truncate"), ("sync", "truncate"), ("open_append",), ("sync_directory",)],
    ids="+".join,
)
@pytest.mark.parametrize("only", [".log", "series", ""])
def test_a_disk_that_refuses_for_a_while_loses_and_doubles_nothing(
    log: Log, files: RefusingFiles, tmp_path: Path, number: int, refused: tuple[str, ...], only: str
):
    if refused == ("sync_directory",):
        only = ""
    log.append([b"d1"], series=True)
    wait(log, log.append([b"s1"]))
    log.rotate()
    files.fail(number, *refused, only=only)
    log.append([b"d2"], series=True)
    log.append([b"s2"])
    touched = "append" in refused or "sync" in refused or only != "series"
    if touched:
        assert wait_for_error(log)
    log.append([b"d3"], series=True)
    last = log.append([b"s3"])
    files.recover()
    wait(log, last)
    assert log.status().error == ""
    assert records(tmp_path / "series") == [b"d1", b"d2", b"d3"]
    assert records(segment_path(tmp_path, 1)) + records(segment_path(tmp_path, 2)) == [b"s1", b"s2", b"s3"]


def test_the_error_names_cause_and_directory(log: Log, files: RefusingFiles, tmp_path: Path):
    files.fail(errno.ENOSPC)
    log.append([b"x"])
    assert wait_for_error(log) == f"No space left on device ({tmp_path})"


def test_a_full_queue_refuses_samples_at_once_but_never_definitions(tmp_path: Path):
    files = RefusingFiles()
    log = open_log(tmp_path, files, queue_bytes_max=1000)
    files.fail(errno.ENOSPC)
    taken = []
    with pytest.raises(StoreError, match="cannot take samples: No space left on device"):
        taken.extend((log.append([b"%06d" % k + bytes(94)]), b"%06d" % k) for k in range(100))
    assert taken
    definition = log.append([b"definition"], series=True)
    files.recover()
    wait(log, definition)
    assert [payload[:6] for payload in records(segment_path(tmp_path, 1))] == [name for _, name in taken]
    wait(log, log.append([b"again"]))
    log.close()


def test_closing_writes_what_is_queued_and_then_takes_nothing(tmp_path: Path):
    log = open_log(tmp_path, Files())
    for k in range(10):
        log.append([bytes([k])])
        log.rotate()
    log.close()
    assert [records(segment_path(tmp_path, n)) for n in segments(tmp_path)] == [[bytes([k])] for k in range(10)]
    with pytest.raises(StoreError, match="closed"):
        log.append([b"x"])


def test_a_disk_that_refuses_keeps_no_one_from_closing(tmp_path: Path):
    files = RefusingFiles()
    log = open_log(tmp_path, files)
    files.fail(errno.EIO)
    log.append([b"x"])
    log.close()
    assert records(segment_path(tmp_path, 1)) == []


def test_a_file_whose_name_may_not_be_safe_is_made_safe_when_opened_again(tmp_path: Path):
    files = RefusingFiles()
    files.fail(errno.EIO, "sync_directory")
    for _ in range(2):  # the second time it is there already
        with pytest.raises(OSError, match="Input/output"):
            files.open_append(tmp_path / "a.log")


def test_a_segment_that_ended_in_order_says_so(tmp_path: Path):
    directory = tmp_path / "log"
    directory.mkdir()
    log = open_log(directory, RefusingFiles())
    wait(log, log.append([b"one"]))
    log.rotate()
    wait(log, log.append([b"two"]))
    log.close()
    for number, payload in ((1, b"one"), (2, b"two")):
        assert [bytes(p) for p in Scan(segment_path(directory, number).read_bytes())] == [payload, b""]
