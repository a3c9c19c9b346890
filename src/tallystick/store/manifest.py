"""The manifest: the one file that says which blocks and which log segments make up the store.

It is replaced whole by a rename, so a crash leaves the old state or the new one. What it does not name does not exist,
so a flipped bit in it could cost anything: its first line has a checksum of all that follows.
"""

from pathlib import Path

import msgspec

from tallystick.model.errors import StoreError
from tallystick.store.files import Files, checksum

FILE_NAME = "manifest"
FORMAT_VERSION = 1


class BlockEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block: slots of `step_s` seconds in ``[start_s, end_s)`` of series kept by `retention`.

    `number` names the file and grows in the order of writing. A block is `rolled` once the next coarser resolution
    holds its content: readers of coarser steps then pass it over. It is `primary` if it is of a coarser step than its
    retention's finest and its content never was in a finer block: imported history, or what a change of rules left.
    """

    number: int
    retention: str
    step_s: int
    start_s: int
    end_s: int
    series: int
    file_bytes: int
    rolled: bool = False
    compressed: bool = False
    primary: bool = False

    @property
    def file_name(self) -> str:
        """Name of the file below ``blocks/``."""
        return f"{self.number:010d}.block"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the store consists of beside the series file."""

    next_block: int = 1
    first_segment: int = 1
    blocks: tuple[BlockEntry, ...] = ()


class _Head(msgspec.Struct):
    """The first line, of all versions to come."""

    version: int
    checksum: str = ""


def read_manifest(directory: Path, files: Files) -> Manifest:
    """The manifest of a directory; a new one, if there is no store yet.

    Raises
    ------
    StoreError
        If it is damaged or of a newer format.
    """
    path = directory / FILE_NAME
    try:
        head_line, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return _new_manifest(directory, files)
    try:
        head = msgspec.json.decode(head_line, type=_Head)
    except msgspec.DecodeError as error:
        raise StoreError(f"cannot read {path}: {error}; expected the manifest of a Tallystick store") from None
    if head.version != FORMAT_VERSION:
        raise StoreError(
            f"cannot open store {directory}: its format is version {head.version}; expected {FORMAT_VERSION}, "
            "the only one this program knows"
        )
    if head.checksum != f"{checksum(content):016x}":
        raise StoreError(
            f"cannot read {path}: it does not match its checksum; expected it whole, restore it from a copy"
        )
    return msgspec.json.decode(content, type=Manifest)


def write_manifest(directory: Path, manifest: Manifest, files: Files) -> None:
    """Replace the manifest."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    head = msgspec.json.encode(_Head(FORMAT_VERSION, f"{checksum(content):016x}"))
    files.write_whole(directory / FILE_NAME, [head, b"\n", content])


def _new_manifest(directory: Path, files: Files) -> Manifest:
    # Blocks that no manifest names are removed as leftovers: a manifest that was lost must not look like a new store.
    if any((directory / "blocks").glob("*.block")):
        raise StoreError(
            f"cannot read {directory / FILE_NAME}: there is none, but blocks are; "
            "expected it whole, restore it from a copy"
        )
    manifest = Manifest()
    write_manifest(directory, manifest, files)
    return manifest
