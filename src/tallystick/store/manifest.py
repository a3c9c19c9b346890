"""The manifest: the one file that says which blocks and which log segments make up the store.

It is replaced whole by a rename, so a crash leaves the old state or the new one. What it does not name does not exist.
"""

from pathlib import Path

import msgspec

from tallystick.model.errors import StoreError
from tallystick.store.files import Files

FILE_NAME = "manifest.json"
FORMAT_VERSION = 1


class BlockEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block: slots of `step_s` seconds in ``[start_s, end_s)`` of series kept by `retention`.

    `number` names the file and grows in the order of writing. A block is `rolled` once the next coarser resolution
    holds its content: readers of coarser steps then pass it over.
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

    @property
    def file_name(self) -> str:
        """Name of the file below ``blocks/``."""
        return f"{self.number:010d}.block"


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the store consists of beside the series file."""

    version: int = FORMAT_VERSION
    next_block: int = 1
    first_segment: int = 1
    blocks: tuple[BlockEntry, ...] = ()


class _Versioned(msgspec.Struct):
    """What manifests of all versions have."""

    version: int


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a directory; that of an empty store, if there is none.

    Raises
    ------
    StoreError
        If it cannot be read or is of a newer format.
    """
    path = directory / FILE_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Manifest()
    try:
        version = msgspec.json.decode(data, type=_Versioned).version
        if version == FORMAT_VERSION:
            return msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise StoreError(f"cannot read {path}: {error}; expected the manifest of a Tallystick store") from None
    raise StoreError(
        f"cannot open store {directory}: its format is version {version}; expected {FORMAT_VERSION}, "
        "the only one this program knows"
    )


def write_manifest(directory: Path, manifest: Manifest, files: Files) -> None:
    """Replace the manifest."""
    files.write_whole(directory / FILE_NAME, [msgspec.json.format(msgspec.json.encode(manifest), indent=1)])
