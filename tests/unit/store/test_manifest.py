"""The manifest: there twice, so that neither a flipped bit, a bad sector nor a failed write costs what it names."""

import errno
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from faults import FailingReads, RefusingFiles
from stores import found, open_store, opened, put
from tallystick.files import Buffer, Files
from tallystick.model.errors import StoreError
from tallystick.store.disk.checksum import checksum
from tallystick.store.disk.manifest_file import find_manifest

BOTH = ("manifest", "manifest.copy")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A store with two blocks."""
    with opened(tmp_path) as store:
        for value in (1.0, 2.0):
            put(store, "a", {0: value})
            store.maintenance.seal()
    return tmp_path


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0x04
    path.write_bytes(data)


def replace(directory: Path, content: bytes | str) -> None:
    for name in BOTH:
        (directory / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def everything(directory: Path) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def as_written(version: int, content: bytes) -> bytes:
    head = {"version": version, "checksum": f"{checksum(str(version).encode(), content):016x}"}
    return json.dumps(head).encode() + b"\n" + content


def test_both_files_are_the_same_and_count_their_writings(directory: Path):
    first, second = [(directory / name).read_bytes() for name in BOTH]
    assert first == second
    before = find_manifest(directory, Files()).manifest
    with opened(directory) as store:
        put(store, "a", {0: 4.0})
        store.maintenance.seal()
    after = find_manifest(directory, Files()).manifest
    assert before is not None
    assert after is not None
    assert after.sequence > before.sequence


@pytest.mark.parametrize("name", BOTH)
def test_a_flipped_bit_anywhere_is_named_and_the_other_file_counts(directory: Path, name: str):
    good = (directory / name).read_bytes()
    for position in range(0, len(good), 23):
        flip(directory / name, position)
        with opened(directory) as store:
            assert found(store, "a") == {0: 3.0}
            (problem,) = store.problems()
            assert str(directory / name) in problem or "its format is version" in problem
            assert "replaced by the other one" in problem
        assert (directory / BOTH[0]).read_bytes() == (directory / BOTH[1]).read_bytes()
        with opened(directory) as store:
            assert store.problems() == []


def test_both_damaged_is_refused_with_what_to_do(directory: Path):
    for name in BOTH:
        flip(directory / name, 200)
    before = everything(directory)
    with pytest.raises(StoreError, match=r"does not match its checksum.*tallystick store restore SNAPSHOT DIR"):
        open_store(directory)
    assert everything(directory) == before


@pytest.mark.parametrize("text", ["", "{", "[]", "version 2", '{"version": 2}', '{"version": 2}\n{"next_block": 3}'])
def test_manifests_that_cannot_be_read_are_refused_in_one_sentence(directory: Path, text: str):
    replace(directory, text)
    with pytest.raises(StoreError, match=r"cannot read .*manifest: "):
        open_store(directory)


@pytest.mark.parametrize("version", [1, 3, 999])
@pytest.mark.parametrize("names", [BOTH, BOTH[:1]])
def test_another_format_is_refused_with_its_version_and_nothing_is_touched(
    directory: Path, version: int, names: tuple[str, ...]
):
    for name in names:
        (directory / name).write_bytes(as_written(version, b"of what is to come"))
    before = everything(directory)
    with pytest.raises(StoreError, match=rf"its format is version {version}; expected 2, the only one"):
        open_store(directory)
    assert everything(directory) == before


def test_a_version_before_versions_had_checksums_is_refused_too(directory: Path):
    (directory / "manifest.copy").unlink()
    (directory / "manifest").write_text('{"version": 1, "checksum": "0123456789abcdef"}\n{}')
    with pytest.raises(StoreError, match=r"its format is version 1; expected 2, the only one this program knows$"):
        open_store(directory)


def test_a_lost_manifest_is_replaced_by_its_copy(directory: Path):
    for name in BOTH:
        (directory / name).unlink()
        with opened(directory) as store:
            assert found(store, "a") == {0: 3.0}
        assert (directory / name).exists()


def test_blocks_whose_manifest_is_lost_are_not_taken_for_leftovers(directory: Path):
    paths = list((directory / "blocks").iterdir())
    for name in BOTH:
        (directory / name).unlink()
    with pytest.raises(StoreError, match=r"cannot read .*manifest: there is none, but blocks are"):
        open_store(directory)
    assert all(path.exists() for path in paths)


def test_the_newer_of_two_whole_ones_counts(directory: Path):
    older = (directory / "manifest.copy").read_bytes()
    with opened(directory) as store:
        put(store, "a", {0: 4.0})
        store.maintenance.seal()
    (directory / "manifest.copy").write_bytes(older)  # as a crash between the two leaves it
    with opened(directory) as store:
        assert store.problems() == []
        assert found(store, "a") == {0: 7.0}
    assert (directory / "manifest.copy").read_bytes() == (directory / "manifest").read_bytes()


def test_blocks_that_only_the_damaged_one_may_have_named_are_kept(directory: Path):
    older = (directory / "manifest.copy").read_bytes()
    with opened(directory) as store:
        put(store, "a", {0: 4.0})
        store.maintenance.seal()
    (directory / "manifest.copy").write_bytes(older)
    flip(directory / "manifest", 300)
    with opened(directory) as store:
        assert found(store, "a") == {0: 3.0}
        assert any("0000000003.block: the manifest does not name it" in problem for problem in store.problems())
    assert [path.name for path in (directory / "damaged").iterdir()] == ["0000000003.block"]


def test_a_manifest_that_the_disk_cannot_read_is_replaced_by_its_copy(directory: Path):
    files = FailingReads()
    files.fail("/manifest", end=100)
    with pytest.raises(StoreError, match=r"Input/output error.*restore SNAPSHOT"):
        open_store(directory, files=files)
    files.recover()
    files.fail("/manifest.copy")
    with opened(directory, files=files) as store:
        assert found(store, "a") == {0: 3.0}
        assert "manifest.copy: Input/output error; replaced" in store.problems()[0]
    files.recover()
    files.fail("/manifest", times=1)
    with opened(directory, files=files) as store:
        assert store.problems() == []


def test_a_copy_that_cannot_be_written_is_named_and_never_left_behind(directory: Path):
    files = RefusingFiles()
    with opened(directory, files=files) as store:
        put(store, "a", {0: 4.0})
        files.fail(errno.ENOSPC, "write_whole", only="manifest.copy")
        store.maintenance.seal()
        assert store.problems() == [f"cannot write {directory / 'manifest.copy'}: No space left on device"]
        assert not (directory / "manifest.copy").exists()
        assert found(store, "a") == {0: 7.0}
        files.recover()
        put(store, "a", {0: 8.0})
        store.maintenance.seal()
        assert store.problems() == []
    assert (directory / "manifest.copy").read_bytes() == (directory / "manifest").read_bytes()


class FailsAfterRenaming(RefusingFiles):
    """The directory is refused from the first writing of the manifest on, when its new name is there."""

    armed = False

    def write_whole(self, path: Path, parts: Iterable[Buffer]) -> int:
        if self.armed and path.name == "manifest":
            self.fail(errno.EIO, "sync_directory")
        return super().write_whole(path, parts)


@pytest.mark.parametrize("crash", [False, True])
def test_a_manifest_that_may_have_been_written_names_nothing_that_was_deleted(directory: Path, crash: bool):
    files = FailsAfterRenaming()
    store = open_store(directory, files=files)
    put(store, "a", {0: 4.0})
    named = {path.name for path in (directory / "blocks").iterdir()}
    files.armed = True
    with pytest.raises(OSError, match="Input/output error"):
        store.maintenance.seal()
    files.armed = False
    assert {path.name for path in (directory / "blocks").iterdir()} == {*named, "0000000003.block"}
    with pytest.raises(OSError, match="Input/output error"):  # a disk that goes on failing is not filled with blocks
        store.maintenance.seal()
    assert len(list((directory / "blocks").iterdir())) == 3
    files.recover()
    if not crash:
        assert found(store, "a") == {0: 7.0}
        store.maintenance.seal()
        assert {path.name for path in (directory / "blocks").iterdir()} == {*named, "0000000004.block"}
    store.close()
    with opened(directory) as store:
        assert store.problems() == []
        assert found(store, "a") == {0: 7.0}


@pytest.mark.parametrize("operation", ["write_whole", "sync_directory"])
@pytest.mark.parametrize("only", ["manifest", "blocks"])
def test_a_seal_or_compaction_that_fails_leaves_no_files_behind(tmp_path: Path, operation: str, only: str):
    files = RefusingFiles()
    with opened(tmp_path, files=files) as store:
        put(store, "a", {0: 1.0})
        store.maintenance.seal()
        put(store, "a", {-7200: 1.0, 0: 1.0, 7200: 1.0})
        files.fail(errno.ENOSPC, operation, only=only)
        for _ in range(3):
            if operation == "sync_directory" and only == "manifest":
                store.maintenance.seal()  # no directory is called so: it works
            else:
                with pytest.raises(OSError, match="No space left"):
                    store.maintenance.seal()
        files.recover()
        store.maintenance.seal()
        named = {entry.file_name for entry in store.block_set.manifest.blocks}
        assert {path.name for path in (tmp_path / "blocks").iterdir()} == named
        assert found(store, "a", span_s=10_000) == {-7200: 1.0, 0: 2.0, 7200: 1.0}
