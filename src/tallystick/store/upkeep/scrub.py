"""Scrubbing: all checksums of a store verified, by reading every file again from the disk, a bit at a time.

Bits change on disks, and in blocks that nobody reads nobody notices, until the copy that was good is gone, too.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from tallystick.files import Files
from tallystick.model.errors import DamageError, StoreError
from tallystick.store.blocks.anatomy import EXTENT_BYTES, check_extent, examine, unreadable
from tallystick.store.disk.file_bytes import FileBytes
from tallystick.store.disk.fresh import FreshFile
from tallystick.store.disk.manifest import COPY_NAME, FILE_NAME, BlockEntry, Manifest
from tallystick.store.disk.manifest_file import find_manifest
from tallystick.store.log.log import SERIES_FILE, segment_path, segments
from tallystick.store.log.record import Scan

_EXTENTS_AT_ONCE = 64

Damaged = Callable[[BlockEntry, DamageError], None]
"""Is told of each block that is damaged."""


class Scrub:
    """One look at everything in a directory; iterate over it, then read what was found.

    Gives the bytes that were read in each piece, so that whoever iterates can wait, or show how far it is.

    Parameters
    ----------
    directory
        The store's; a server may have it open. What it deletes meanwhile is passed over.
    manifest
        Names the blocks to look at.
    damaged
        Is told of each block that is damaged, once; without it they are among the problems.

    Attributes
    ----------
    problems : list of str
        What is damaged, a sentence each.
    """

    def __init__(
        self, directory: Path, manifest: Manifest, files: Files | None = None, damaged: Damaged | None = None
    ) -> None:
        self._directory = directory
        self._manifest = manifest
        self._files = files or Files()
        self._damaged = damaged
        self.problems: list[str] = []

    def total_bytes(self) -> int:
        """So many bytes there are to read."""
        paths = [self._directory / name for name in (FILE_NAME, COPY_NAME, SERIES_FILE)]
        paths += [segment_path(self._directory / "log", n) for n in self._segments()]
        blocks = sum(entry.file_bytes for entry in self._manifest.blocks)
        return blocks + sum(path.stat().st_size for path in paths if path.exists())

    def __iter__(self) -> Iterator[int]:
        yield self._check_manifest()
        yield from self._check_records(self._directory / SERIES_FILE)
        for number in self._segments():
            yield from self._check_records(segment_path(self._directory / "log", number))
        for entry in self._manifest.blocks:
            yield from self._check(entry)

    def _check_manifest(self) -> int:
        try:
            self.problems += find_manifest(self._directory, self._files).problems
        except StoreError as error:
            self.problems.append(str(error))
        return sum(path.stat().st_size for path in self._directory.glob(f"{FILE_NAME}*"))

    def _check_records(self, path: Path) -> Iterator[int]:
        try:
            file = FileBytes(path, self._files)
        except FileNotFoundError:  # a segment whose samples are in blocks by now
            return
        with file:
            scan = Scan(file)
            at = 0
            for _ in scan:
                if scan.end - at >= _EXTENTS_AT_ONCE * EXTENT_BYTES:
                    yield scan.end - at
                    at = scan.end
            yield file.size - at
            damaged = scan.damaged_bytes or file.unreadable_bytes
            if damaged:
                self.problems.append(f"cannot read {damaged} bytes of {path}: damaged")

    def _check(self, entry: BlockEntry) -> Iterator[int]:
        path = self._directory / "blocks" / entry.file_name
        try:
            yield from check_block(path, self._files)
        except FileNotFoundError:
            if any(e.number == entry.number for e in self._manifest_now().blocks):
                self.problems.append(f"cannot read block {path}: there is no such file")
        except DamageError as error:
            if self._damaged is None:
                self.problems.append(str(error))
            else:
                self._damaged(entry, error)

    def _manifest_now(self) -> Manifest:
        try:
            return find_manifest(self._directory, self._files).manifest or Manifest()
        except StoreError:
            return self._manifest

    def _segments(self) -> list[int]:
        return [number for number in segments(self._directory / "log") if number >= self._manifest.first_segment]


def check_block(path: Path, files: Files) -> Iterator[int]:
    """Read all of a block from the disk; give the bytes read in each piece.

    Raises
    ------
    FileNotFoundError
        If there is none.
    DamageError
        If something in it does not match its checksum, or the disk cannot read it.
    """
    with FreshFile(path, files) as file:
        anatomy = examine(path, file.size, file.read)
        extents = len(anatomy.sums)
        yield file.size - anatomy.footer.page_bytes
        for first in range(0, extents, _EXTENTS_AT_ONCE):
            many = range(first, min(first + _EXTENTS_AT_ONCE, extents))
            begin, end = anatomy.extent(many[0])[0], sum(anatomy.extent(many[-1]))
            try:
                data = memoryview(file.read(begin, end - begin))
            except OSError as error:
                raise unreadable(path, error) from error
            for k in many:
                at, size = anatomy.extent(k)
                check_extent(path, anatomy, k, data[at - begin : at - begin + size])
            yield end - begin
