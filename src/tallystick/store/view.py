"""`StoreView`: a store to look at, read-only, also while a server has it open.

No lock is taken and nothing is written. A view is the store of one moment: that of its opening, or of its last
`refresh`. What its writer deletes afterwards (blocks that were compacted, segments that are in blocks) stays readable,
because the files are open; what it deletes while a view opens lets the view begin anew.
"""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tallystick.files import Files
from tallystick.model.clock import Clock, SystemClock
from tallystick.model.errors import DamageError, StoreError
from tallystick.model.retention import DEFAULT_KEEP, Retention, RetentionRule
from tallystick.store.blocks.block import Block
from tallystick.store.blocks.block_set import OpenBlock
from tallystick.store.blocks.decoded import DecodedCache
from tallystick.store.contents import Contents
from tallystick.store.disk.file_bytes import FileBytes
from tallystick.store.disk.manifest import BlockEntry, Manifest
from tallystick.store.disk.manifest_file import find_manifest
from tallystick.store.log.log import SERIES_FILE, segment_path
from tallystick.store.log.log import segments as segment_numbers
from tallystick.store.readable import Readable
from tallystick.store.reading.reader import Sources

logger = logging.getLogger(__name__)

_TRIES_MAX = 10
DEFAULT_RULES = (RetentionRule("*", Retention.parse(DEFAULT_KEEP)),)


class StoreView(Readable):
    """The reading half of `tallystick.store.contract.Store`, over a directory.

    Parameters
    ----------
    path
        The store's directory, or a snapshot of one.
    rules
        How series are kept; by default as they were when the store was last opened.

    Raises
    ------
    StoreError
        If there is no store, its format is another one, or its names are damaged.

    Notes
    -----
    Threads may read at the same time, but not while another one calls `refresh`. Opening costs what a start of the
    server costs: the names are read and the log is folded. Memory follows the names and the log.
    """

    def __init__(
        self,
        path: Path,
        rules: Sequence[RetentionRule] = (),
        clock: Clock | None = None,
        files: Files | None = None,
    ) -> None:
        self.path = path
        self._rules = rules
        self._clock = clock or SystemClock()
        self._files = files or Files()
        self._cache = DecodedCache()
        self._opened: dict[int, Block] = {}
        self._blocks: tuple[OpenBlock, ...] = ()
        self._stamp: tuple[int, ...] = ()
        self.refresh()

    def refresh(self) -> bool:
        """Look at the store as it is now; whether it is another one than before.

        Raises
        ------
        StoreError
            As at opening; the view then stays as it was.
        """
        for _ in range(_TRIES_MAX):
            try:
                return self._refresh()
            except (FileNotFoundError, _ChangedError) as error:
                cause = error
        raise StoreError(
            f"cannot look at store {self.path}: it changed {_TRIES_MAX} times while it was opened ({cause}); "
            "expected a quieter moment"
        )

    def problems(self) -> list[str]:
        """What of the store is damaged, as far as it was read; a sentence each."""
        return list(self._problems)

    @property
    def manifest(self) -> Manifest:
        """What the store consists of."""
        return self._manifest

    def sources(self) -> Sources:
        """See `Readable.sources`."""
        return Sources(self._blocks, (), self._heads.all())

    def set_aside(self, entry: BlockEntry, cause: DamageError) -> None:
        """Read a damaged block no longer. Nothing is moved: that is for whoever owns the store."""
        if any(b.entry.number == entry.number for b in self._blocks):
            self._blocks = tuple(b for b in self._blocks if b.entry.number != entry.number)
            self._problems.append(str(cause))
            logger.error("%s", cause)

    def _refresh(self) -> bool:
        with ExitStack() as opened:
            moment = self._open_moment(opened)
            if moment.stamp == self._stamp:
                return False
            entries = [entry for entry in moment.manifest.blocks if entry.number in self._opened]
            blocks = tuple(OpenBlock(entry, self._opened[entry.number]) for entry in entries)
            rules = self._rules or moment.manifest.retention_rules or DEFAULT_RULES
            contents = Contents(rules, moment.manifest.aggregation_rules)
            contents.read_names(moment.series_file, blocks)
            for segment in moment.segments:
                contents.replay(segment, self._clock.now())
            contents.finish(self.path / SERIES_FILE, complete=len(blocks) == len(moment.manifest.blocks))
        super().__init__(contents.catalog, contents.heads, contents.retentions, self, self._clock)
        self._stamp, self._manifest, self._blocks = moment.stamp, moment.manifest, blocks
        self._opened = {b.entry.number: b.block for b in blocks}
        self._problems = [*moment.problems, *contents.problems]
        return True

    def _open_moment(self, opened: ExitStack) -> "_Moment":
        """Open all files of one manifest.

        Its blocks are there as long as it counts, and so are the segments that it still needs: if it counts when all
        are open, all of them belong together. Definitions are on disk before the samples that use them, so the series
        file comes after the log.
        """
        manifest, problems = self._find_manifest()
        missing = self._open_blocks(manifest, problems)
        log = self.path / "log"
        segments = [
            opened.enter_context(FileBytes(segment_path(log, number), self._files))
            for number in segment_numbers(log)
            if number >= manifest.first_segment
        ]
        series_file = opened.enter_context(FileBytes(self.path / SERIES_FILE, self._files))
        now, _ = self._find_manifest()
        if now.sequence != manifest.sequence:
            raise _ChangedError(f"its manifest was number {manifest.sequence} and is number {now.sequence}")
        problems += [f"cannot read block {path}: there is no such file" for path in missing]
        return _Moment(manifest, segments, series_file, problems)

    def _open_blocks(self, manifest: Manifest, problems: list[str]) -> list[Path]:
        """Open the blocks that are not open yet; return those that are not there."""
        missing = []
        for entry in manifest.blocks:
            path = self.path / "blocks" / entry.file_name
            try:
                if entry.number not in self._opened:
                    self._opened[entry.number] = Block(path, self._cache, self._files)
            except FileNotFoundError:
                missing.append(path)
            except DamageError as error:
                problems.append(str(error))
        return missing

    def _find_manifest(self) -> tuple[Manifest, list[str]]:
        found = find_manifest(self.path, self._files)
        if found.manifest is None:
            raise StoreError(f"cannot look at store {self.path}: it has no manifest; expected a store's directory")
        return found.manifest, list(found.problems)


class _ChangedError(Exception):
    """The writer was faster."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """Files that belong together, open."""

    manifest: Manifest
    segments: list[FileBytes]
    series_file: FileBytes
    problems: list[str]

    @property
    def stamp(self) -> tuple[int, ...]:
        """Differs if anything was written in between."""
        return (self.manifest.sequence, self.series_file.size, *(segment.size for segment in self.segments))
