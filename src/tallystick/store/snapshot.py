"""Snapshots: a store as it was at one moment, in a directory of its own; and the way back.

Blocks are never changed, so a snapshot on the same file system is a second name for each: it takes no space until
compaction replaces them. All that arrived before is in its blocks; its log only says how far the numbered batches of
senders are among that.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tallystick.blocks import FILE_NAME as BLOCKS_FILE
from tallystick.events import copy_events
from tallystick.files import TEMPORARY_SUFFIX, Files
from tallystick.model.errors import StoreError
from tallystick.model.numbered import Numbered
from tallystick.model.tally import TallyBatch
from tallystick.sql import copy_file
from tallystick.store.disk.manifest import Manifest
from tallystick.store.disk.manifest_file import find_manifest, write_manifest
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.log.log import SERIES_FILE, segment_path, segments
from tallystick.store.log.record import Record, frame
from tallystick.store.log.tallies import encode_tallies
from tallystick.store.upkeep.scrub import Scrub
from tallystick.store.view import StoreView

DESCRIPTIONS_FILE = "descriptions.db"
_TABLES = DESCRIPTIONS_FILE, BLOCKS_FILE
"""What is known of series beside their numbers."""
SETTINGS_DIRECTORY = "istatd-settings"
STATSD_NAMES_FILE = "statsd-names"
"""Small files that readers keep beside the blocks: they go where these go."""
_PIECE_BYTES = 4 << 20
_NO_SECOND_NAME = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS}

Progress = Callable[[int, int], None]
"""Is told of bytes that are done, and of all there are."""


def take_snapshot(store: EmbeddedStore, destination: Path, progress: Progress | None = None) -> int:
    """Make a snapshot of a store that is open; return its size in bytes.

    It is there whole under its name, or not at all. Sealing and compaction wait; senders do not.

    Raises
    ------
    StoreError
        If there is something at `destination`, or the disk takes nothing at present.
    """
    if destination.exists():
        raise StoreError(f"cannot make snapshot {destination}: it is there already; expected a new name")
    part = destination.with_name(destination.name + TEMPORARY_SUFFIX)
    files = store.files
    try:
        shutil.rmtree(part, ignore_errors=True)  # what a crash left
        files.make_directory(part / "blocks")
        with store.maintenance.sealed():
            done = _fill(part, store.block_set.directory, store.block_set.manifest, files, progress)
            done += _write_log(part, store.block_set.manifest, store.frozen_numbers, files)
        done += copy_events(store.block_set.directory, part)
        done += _copy_tables(store.block_set.directory, part)
        done += _copy_settings(store.block_set.directory, part, files)
        files.sync_directory(part / "blocks")
        files.sync_directory(part)
        files.rename(part, destination)
    except StoreError:
        shutil.rmtree(part, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise StoreError(f"cannot make snapshot {destination}: {error.strerror}") from error
    return done


def restore(snapshot: Path, directory: Path, progress: Progress | None = None, files: Files | None = None) -> int:
    """Copy a snapshot, or the directory of a store that is closed, to where a server will open it; return the bytes.

    Raises
    ------
    StoreError
        If anything in it is damaged, or `directory` is not empty.
    """
    files = files or Files()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise StoreError(f"cannot restore to {directory}: it is not empty; expected a new directory, or an empty one")
    manifest = find_manifest(snapshot, files).manifest
    if manifest is None:
        raise StoreError(f"cannot restore {snapshot}: it has no manifest; expected a snapshot")
    _verify(snapshot, manifest, files, progress)
    part = directory.with_name(directory.name + TEMPORARY_SUFFIX)
    try:
        shutil.rmtree(part, ignore_errors=True)
        for folder in ("blocks", "log"):
            files.make_directory(part / folder)
        done = 0
        paths = [Path("blocks") / entry.file_name for entry in manifest.blocks]
        log = segments(snapshot / "log")
        paths += [segment_path(Path("log"), number) for number in log if number >= manifest.first_segment]
        for path in [Path(SERIES_FILE), *paths]:
            done += files.write_whole(part / path, _pieces(snapshot / path))
            _tell(progress, done, manifest)
        done += copy_events(snapshot, part)
        done += _copy_tables(snapshot, part)
        done += _copy_settings(snapshot, part, files)
        write_manifest(part, manifest, files)
        files.rename(part, directory)
    except StoreError:
        shutil.rmtree(part, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise StoreError(f"cannot restore to {directory}: {error.strerror}") from error
    return done


def _copy_tables(directory: Path, part: Path) -> int:
    """What is kept beside the series in files of tables."""
    return sum(copy_file(directory / name, part / name) for name in _TABLES)


def _copy_settings(directory: Path, part: Path, files: Files) -> int:
    """Copy the files that readers keep, if there are any; return their bytes."""
    kept = sorted(path for path in (directory / SETTINGS_DIRECTORY).glob("*.set") if path.is_file())
    if kept:
        files.make_directory(part / SETTINGS_DIRECTORY)
    if (directory / STATSD_NAMES_FILE).is_file():
        kept.append(directory / STATSD_NAMES_FILE)
    return sum(files.write_whole(part / path.relative_to(directory), _pieces(path)) for path in kept)


def _fill(part: Path, directory: Path, manifest: Manifest, files: Files, progress: Progress | None) -> int:
    done = 0
    for entry in manifest.blocks:
        name = Path("blocks") / entry.file_name
        _second_name(directory / name, part / name, files)
        done += entry.file_bytes
        _tell(progress, done, manifest)
    done += files.write_whole(part / SERIES_FILE, _pieces(directory / SERIES_FILE))
    problem = write_manifest(part, manifest, files)
    if problem:
        raise OSError(errno.EIO, problem)
    return done


def _write_log(part: Path, manifest: Manifest, numbers: Sequence[Numbered], files: Files) -> int:
    """A segment without samples, if there are numbers to tell."""
    if not numbers:
        return 0
    files.make_directory(part / "log")
    told = frame(Record(encode_tallies(TallyBatch.empty(), numbers)))
    return files.write_whole(segment_path(part / "log", manifest.first_segment), told)


def _second_name(path: Path, new: Path, files: Files) -> None:
    """A hard link; a copy where the file system has none, or is another one."""
    try:
        files.link(path, new)
    except OSError as error:
        if error.errno not in _NO_SECOND_NAME:
            raise
        files.write_whole(new, _pieces(path))


def _pieces(path: Path) -> Iterator[bytes]:
    """The bytes that a file has now; what is appended meanwhile is left."""
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0 and (piece := file.read(min(_PIECE_BYTES, left))):
            left -= len(piece)
            yield piece


def _verify(snapshot: Path, manifest: Manifest, files: Files, progress: Progress | None) -> None:
    scrub = Scrub(snapshot, manifest, files)
    done, total = 0, scrub.total_bytes()
    for read in scrub:
        done += read
        if progress is not None:
            progress(done, total)
    problems = scrub.problems
    if not problems:
        try:
            problems = StoreView(snapshot, files=files).problems()
        except StoreError as error:  # a block has series that are not defined: the end of their file is gone
            problems = [str(error)]
    if problems:
        told = "; ".join(problems[:5])
        raise StoreError(f"cannot restore {snapshot}: {told}; expected it whole, take another snapshot")


def _tell(progress: Progress | None, done: int, manifest: Manifest) -> None:
    if progress is not None:
        progress(done, sum(entry.file_bytes for entry in manifest.blocks))
