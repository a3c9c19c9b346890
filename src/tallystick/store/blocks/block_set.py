"""`BlockSet`: the blocks that the manifest names, open for reading.

A change (sealing, compaction, retention) writes new files first, then replaces the manifest, then forgets the old
files; readers work on the tuple they took and keep its files alive until they are done.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.files import TEMPORARY_SUFFIX, Files, UncertainError
from tallystick.model.errors import DamageError, UnreadableError
from tallystick.model.retention import AggregationRule, RetentionRule
from tallystick.store.blocks.block import Block
from tallystick.store.blocks.decoded import DecodedCache
from tallystick.store.disk.manifest import BlockEntry, Manifest, aggregation_texts, rule_texts
from tallystick.store.disk.manifest_file import open_manifest, write_manifest

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenBlock:
    """A block and what the manifest says of it."""

    entry: BlockEntry
    block: Block


class BlockSet:
    """All blocks of a store; thread-safe.

    Parameters
    ----------
    directory
        The store's; blocks are in ``blocks/`` below it, damaged ones are moved to ``damaged/``.
    """

    def __init__(self, directory: Path, files: Files) -> None:
        self._directory = directory
        self._files = files
        self._lock = threading.RLock()
        self._cache = DecodedCache()
        found = open_manifest(directory, files)
        self._manifest = found.manifest or Manifest()
        self._sequence = self._manifest.sequence
        self._uncertain = False  # whether the last manifest may be on disk although its writing failed
        self._unnamed: list[Path] = []  # files that it may name
        self._copy_problem = ""
        self._problems = list(found.problems)
        self._scrub_problems: tuple[str, ...] = ()
        self._unreadable: dict[int, str] = {}  # blocks that the disk cannot read at present, and why
        for folder in ("blocks", "damaged"):
            files.make_directory(directory / folder)
        self._clear_unnamed(keep=bool(found.problems))
        self._blocks: tuple[OpenBlock, ...] = ()
        for entry in self._manifest.blocks:
            self._open(entry)

    @property
    def problems(self) -> list[str]:
        """What is wrong, a sentence each."""
        with self._lock:
            unreadable = [f"{cause}; passed over, and tried again every minute" for cause in self._unreadable.values()]
            other = [*self._scrub_problems, *([self._copy_problem] if self._copy_problem else [])]
            return [*self._problems, *unreadable, *other]

    def add_problem(self, problem: str) -> None:
        """Name something that is wrong."""
        self._problems.append(problem)
        logger.error("%s", problem)

    @property
    def manifest(self) -> Manifest:
        """The manifest as it is on disk."""
        return self._manifest

    def snapshot(self) -> tuple[OpenBlock, ...]:
        """All blocks, in the order of their writing."""
        with self._lock:
            return self._blocks

    def next_path(self) -> tuple[int, Path]:
        """Number and path for a new block."""
        with self._lock:
            number = self._manifest.next_block
            self._manifest = msgspec.structs.replace(self._manifest, next_block=number + 1)
            return number, self._directory / "blocks" / f"{number:010d}.block"

    def change(
        self,
        add: Sequence[BlockEntry] = (),
        remove: Sequence[BlockEntry] = (),
        first_segment: int | None = None,
    ) -> None:
        """Name new blocks and forget old ones, all at once; new ones come in the place of the last one that goes.

        Parameters
        ----------
        add
            Entries of files that are written; one with the number of a block that is there replaces its entry, others
            come in the place of the last one that goes, so that the order stays that of arrival.
        first_segment
            The first segment of the log that is still needed, if that changes.

        Raises
        ------
        OSError
            If the manifest could not be written: nothing changed, and the new files are deleted.
        """
        with self._lock:
            manifest = msgspec.structs.replace(
                self._manifest,
                blocks=_changed(self._manifest.blocks, add, remove),
                first_segment=self._manifest.first_segment if first_segment is None else first_segment,
            )
            blocks = {b.entry.number: b.block for b in self._blocks}
            try:
                opened = tuple(
                    OpenBlock(entry, blocks.get(entry.number) or self._block(entry))
                    for entry in manifest.blocks
                    if entry.number not in self._unreadable
                )
                self._write(manifest)
            except BaseException:
                named = {entry.number for entry in self._manifest.blocks}
                self.discard([entry for entry in add if entry.number not in named])
                raise
            self._blocks = opened
            for entry in remove:
                self._unreadable.pop(entry.number, None)
        for entry in remove:
            self._files.remove(self._path(entry))

    def follow(self, rules: Sequence[RetentionRule], aggregation: Sequence[AggregationRule]) -> None:
        """Take note of the rules that the store is opened with; if series are kept otherwise, all blocks are stale."""
        texts = rule_texts(rules)
        with self._lock:
            noted = msgspec.structs.replace(self._manifest, rules=texts, aggregation=aggregation_texts(aggregation))
            if noted == self._manifest:
                return
            stale = texts != self._manifest.rules
            entries = {e.number: msgspec.structs.replace(e, stale=e.stale or stale) for e in noted.blocks}
            self._manifest = msgspec.structs.replace(noted, blocks=tuple(entries.values()))
            self._blocks = tuple(OpenBlock(entries[b.entry.number], b.block) for b in self._blocks)
            try:
                self._write(self._manifest)
            except OSError:
                logger.exception("cannot note the retention rules now; they are with the next change")

    def doubt(self, ids: NDArray[np.int32]) -> None:
        """Make the blocks that hold some of these series (ascending) stale: they get names with another retention."""
        stale = [b.entry for b in self.snapshot() if b.block.holds(ids).any()]
        if stale:
            self.change(add=[msgspec.structs.replace(entry, stale=True) for entry in stale])

    def discard(self, entries: Sequence[BlockEntry]) -> None:
        """Delete files of blocks that were written for a change that will not come."""
        with self._lock:
            paths = [self._path(entry) for entry in entries]
            if self._uncertain:  # the manifest on disk may be the one that names them
                self._unnamed += paths
                return
        for path in paths:
            self._files.remove(path)

    def settle(self) -> None:
        """After a writing of the manifest of which nobody knows whether it happened, write it again.

        To be called before new blocks are written: a disk that goes on failing must not be filled with them.

        Raises
        ------
        OSError
            If it failed again.
        """
        with self._lock:
            if self._uncertain:
                self._write(self._manifest)

    def set_aside(self, entry: BlockEntry, cause: DamageError) -> None:
        """Serve a damaged block no longer; its file is moved to ``damaged/`` and named among the problems.

        One that the disk cannot read stays where it is: it is passed over until it can. A disk that takes no writes
        does not keep the others from being read: the manifest follows with the next change.
        """
        with self._lock:
            if all(e.number != entry.number for e in self._manifest.blocks):
                return
            if isinstance(cause, UnreadableError):
                self._pass_over(entry, cause)
                return
            self.add_problem(f"{cause}; set aside in {self._directory / 'damaged'}")
            self._forget(entry)
            try:
                self._files.rename(self._path(entry), self._directory / "damaged" / entry.file_name)
                self._write(self._manifest)
            except OSError:
                logger.exception("cannot set block %s aside now; it is tried again at the next start", entry.number)

    @property
    def directory(self) -> Path:
        """The store's."""
        return self._directory

    def scrubbed(self, problems: Sequence[str]) -> None:
        """Name what a scrub found besides damaged blocks, instead of what the one before found.

        The manifest is written anew: one of its two files that is damaged is whole then.
        """
        with self._lock:
            for problem in problems:
                logger.error("%s", problem)
            self._scrub_problems = tuple(problems)
            self._write(self._manifest)

    def note(self, *, settled_s: float, scrubbed_s: float | None = None) -> None:
        """What the next manifest says of the clock, and of the last scrub."""
        with self._lock:
            scrubbed = self._manifest.scrubbed_s if scrubbed_s is None else int(scrubbed_s)
            self._manifest = msgspec.structs.replace(self._manifest, settled_s=int(settled_s), scrubbed_s=scrubbed)

    def known_s(self) -> float:
        """Epoch seconds that the clock had, at least, when the store was last written; 0 if nothing is known."""
        manifest = self.manifest
        return float(manifest.settled_s or max((entry.end_s for entry in manifest.blocks), default=0))

    def readable(self) -> list[BlockEntry]:
        """The entries of the blocks that can be read."""
        return [block.entry for block in self.snapshot()]

    def try_unreadable(self) -> None:
        """Look whether the disk can read by now what it could not; such blocks are served again."""
        with self._lock:
            entries = [entry for entry in self._manifest.blocks if entry.number in self._unreadable]
        for entry in entries:
            try:
                block = self._block(entry)
                block.verify()
            except (DamageError, FileNotFoundError):
                continue
            with self._lock:
                if self._unreadable.pop(entry.number, None) is not None:
                    opened = {b.entry.number: b.block for b in self._blocks} | {entry.number: block}
                    self._blocks = tuple(
                        OpenBlock(e, opened[e.number]) for e in self._manifest.blocks if e.number in opened
                    )
            logger.info("block %s can be read again", entry.number)

    def _pass_over(self, entry: BlockEntry, cause: UnreadableError) -> None:
        if entry.number not in self._unreadable:
            logger.error("%s", cause)
        self._unreadable[entry.number] = str(cause)
        self._blocks = tuple(b for b in self._blocks if b.entry.number != entry.number)

    def _block(self, entry: BlockEntry) -> Block:
        return Block(self._path(entry), self._cache, self._files)

    def _open(self, entry: BlockEntry) -> None:
        try:
            block = self._block(entry)
        except FileNotFoundError:
            self.add_problem(f"cannot read block {self._path(entry)}: there is no such file")
            self._forget(entry)
        except DamageError as error:
            self.set_aside(entry, error)
        else:
            self._blocks = (*self._blocks, OpenBlock(entry, block))

    def _forget(self, entry: BlockEntry) -> None:
        kept = tuple(e for e in self._manifest.blocks if e.number != entry.number)
        self._manifest = msgspec.structs.replace(self._manifest, blocks=kept)
        self._blocks = tuple(b for b in self._blocks if b.entry.number != entry.number)

    def _path(self, entry: BlockEntry) -> Path:
        return self._directory / "blocks" / entry.file_name

    def _write(self, manifest: Manifest) -> None:
        """Replace the manifest, under a sequence that none had, not even one whose writing failed."""
        self._sequence += 1
        manifest = msgspec.structs.replace(manifest, sequence=self._sequence)
        try:
            self._copy_problem = write_manifest(self._directory, manifest, self._files)
        except UncertainError:
            self._uncertain = True
            raise
        self._manifest, self._uncertain = manifest, False
        unnamed, self._unnamed = self._unnamed, []
        for path in unnamed:
            self._files.remove(path)

    def _clear_unnamed(self, *, keep: bool) -> None:
        """Remove what a crash left: files that were never finished, or that no manifest names.

        If one of the two manifests was damaged it may have been the newer one, and have named them: then they are kept.
        """
        blocks = self._directory / "blocks"
        for path in (*blocks.iterdir(), *self._directory.glob(f"*{TEMPORARY_SUFFIX}")):
            if path.name.endswith(TEMPORARY_SUFFIX):
                self._files.remove(path)
        named = {entry.file_name for entry in self._manifest.blocks}
        for path in [path for path in blocks.iterdir() if path.name not in named]:
            if keep:
                self.add_problem(f"cannot place {path}: the manifest does not name it; set aside")
                self._files.rename(path, self._directory / "damaged" / path.name)
            else:
                self._files.remove(path)
        highest = max((e.number for e in self._manifest.blocks), default=0)
        if highest >= self._manifest.next_block:
            self._manifest = msgspec.structs.replace(self._manifest, next_block=highest + 1)


def _changed(
    entries: Sequence[BlockEntry], add: Sequence[BlockEntry], remove: Sequence[BlockEntry]
) -> tuple[BlockEntry, ...]:
    """Entries after a change, still in the order of arrival: what replaces others stands where the last of them was."""
    gone = {entry.number for entry in remove}
    there = {entry.number for entry in entries}
    replaced = {entry.number: entry for entry in add}
    new = [entry for entry in add if entry.number not in there]
    place = max((k + 1 for k, e in enumerate(entries) if e.number in gone), default=len(entries))
    before = [replaced.get(e.number, e) for e in entries[:place] if e.number not in gone]
    return (*before, *new, *(replaced.get(e.number, e) for e in entries[place:]))
