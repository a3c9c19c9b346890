"""The manifest on disk: two files with the same content, of which the newest whole one counts.

``manifest`` is replaced first: that is the moment at which a change happens. ``manifest.copy`` follows. A crash between
the two leaves the copy one change behind, which is mended at the next start.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tallystick.files import Files, read_twice
from tallystick.model.errors import StoreError
from tallystick.store.disk.checksum import checksum
from tallystick.store.disk.manifest import COPY_NAME, FILE_NAME, FORMAT_VERSION, Manifest


@dataclass(frozen=True, slots=True)
class FoundManifest:
    """What the two files say.

    Parameters
    ----------
    manifest
        The newest whole one; None if there is neither of them.
    problems
        What is wrong with the other one.
    twice
        Whether both are there, whole and the same.
    """

    manifest: Manifest | None
    problems: tuple[str, ...] = ()
    twice: bool = True


class _Head(msgspec.Struct):
    """The first line, of all versions to come; the checksum is of the version's digits and the rest."""

    version: int
    checksum: str = ""

    @classmethod
    def of(cls, version: int, content: bytes) -> "_Head":
        return cls(version, f"{checksum(b'%d' % version, content):016x}")


class _DamagedError(StoreError):
    """One of the two files is not whole."""


class _VersionError(_DamagedError):
    """One of the two files says that it is of another version; so does one with a flipped bit."""


def find_manifest(directory: Path, files: Files) -> FoundManifest:
    """Read the manifest, from whichever of its two files is whole and newer; nothing is written.

    Raises
    ------
    StoreError
        If what there is of it is damaged or of another format.
    """
    whole: list[Manifest] = []
    problems: list[_DamagedError] = []
    for name in (FILE_NAME, COPY_NAME):
        try:
            whole.append(_read(directory / name, files))
        except FileNotFoundError:
            continue
        except _DamagedError as error:
            problems.append(error)
    if whole:
        newest = max(whole, key=lambda manifest: manifest.sequence)
        return FoundManifest(
            newest, tuple(map(str, problems)), twice=[m.sequence for m in whole] == [newest.sequence] * 2
        )
    if problems:
        other = next((str(problem) for problem in problems if isinstance(problem, _VersionError)), "")
        raise StoreError(other or f"{'; '.join(map(str, problems))}; {_HOW_TO_RESTORE}")
    return FoundManifest(None)


def open_manifest(directory: Path, files: Files) -> FoundManifest:
    """`find_manifest` for whoever owns the store: a new store gets one, and what is damaged or behind is replaced.

    Raises
    ------
    StoreError
        As `find_manifest`; and if blocks are there and no manifest.
    """
    found = find_manifest(directory, files)
    manifest = found.manifest
    if manifest is None:
        # Blocks that no manifest names are removed as leftovers: a lost manifest must not look like a new store.
        if any((directory / "blocks").glob("*.block")):
            raise StoreError(f"cannot read {directory / FILE_NAME}: there is none, but blocks are; {_HOW_TO_RESTORE}")
        manifest = Manifest()
    if found.manifest is None or not found.twice:
        manifest = msgspec.structs.replace(manifest, sequence=manifest.sequence + 1)
        write_manifest(directory, manifest, files)
    return FoundManifest(manifest, tuple(f"{problem}; replaced by the other one" for problem in found.problems))


def write_manifest(directory: Path, manifest: Manifest, files: Files) -> str:
    """Replace both files; return why the second could not be, if it could not.

    Raises
    ------
    UncertainError
        If nobody can say whether the first was replaced.
    OSError
        If it was not.
    """
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    parts = [msgspec.json.encode(_Head.of(FORMAT_VERSION, content)), b"\n", content]
    files.write_whole(directory / FILE_NAME, parts)
    try:
        files.write_whole(directory / COPY_NAME, parts)
    except OSError as error:
        with contextlib.suppress(OSError):
            files.remove(directory / COPY_NAME)  # none is better than one that is behind
        return f"cannot write {directory / COPY_NAME}: {error.strerror}"
    return ""


_HOW_TO_RESTORE = (
    "expected one of the two whole; restore a snapshot into another directory with "
    "'tallystick store restore SNAPSHOT DIR'"
)


def _read(path: Path, files: Files) -> Manifest:
    head_line, _, content = _bytes_of(path, files).partition(b"\n")
    try:
        head = msgspec.json.decode(head_line, type=_Head)
        whole = head == _Head.of(head.version, content)
        if whole and head.version == FORMAT_VERSION:
            return msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _DamagedError(f"cannot read {path}: {error}; expected the manifest of a Tallystick store") from None
    if head.version == FORMAT_VERSION:
        raise _DamagedError(f"cannot read {path}: it does not match its checksum")
    told = (
        f"cannot open store {path.parent}: its format is version {head.version}; expected {FORMAT_VERSION}, "
        "the only one this program knows"
    )
    raise StoreError(told) if whole else _VersionError(told)


def _bytes_of(path: Path, files: Files) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return read_twice(files.read, descriptor, 0, os.fstat(descriptor).st_size)
    except OSError as error:
        raise _DamagedError(f"cannot read {path}: {error.strerror}") from None
    finally:
        os.close(descriptor)
