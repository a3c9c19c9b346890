r"""`SettingsStore`: what istatd's front-end remembers (dashboards, users), in istatd's own files.

A file ``NAME.set`` begins with ``# istatd settings 1``, then has a line ``key=value`` for each setting, the value with
backslashes before what would end or confuse a line. A directory of istatd's can be copied here and back. It is read
whenever it is asked for, so an edited file counts at once; a change is on disk before it is answered.
"""

import re
import threading
from pathlib import Path

from tallystick.files import Files
from tallystick.model.errors import QueryError, StoreError
from tallystick.query.istatd import matcher

FILE_BYTES_MAX = 1 << 20
FILES_MAX = 10_000
_SUFFIX = ".set"
_HEAD = "# istatd settings 1"
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")
_KEY = re.compile(r"[^\x00-\x20\\/:;*?\"'%()\[\]{}~$^#=+\x7f-]{1,200}")
_ESCAPES = {"\\": "\\", "'": "'", '"': '"', "%": "%", "_": "_"} | {
    "\0": "0",
    "\b": "b",
    "\t": "t",
    "\n": "n",
    "\r": "r",
    "\x1a": "Z",
}
_ESCAPED = {letter: character for character, letter in _ESCAPES.items()}


class SettingsStore:
    """Named files of settings; any thread may call.

    Parameters
    ----------
    directory
        Made when something is kept.
    files
        How they are written.
    """

    def __init__(self, directory: Path, files: Files | None = None) -> None:
        self._directory = directory
        self._files = files or Files()
        self._lock = threading.Lock()

    def get(self, name: str, pattern: str = "*") -> dict[str, str] | None:
        """The settings of a file whose keys match a pattern of istatd's, by key; None if there is no such file.

        Raises
        ------
        QueryError
            If no file can have the name.
        StoreError
            If it cannot be read.
        """
        settings = self._read(self._path(name))
        if settings is None:
            return None
        matches = matcher(pattern)
        return {key: settings[key] for key in sorted(settings) if matches(key)}

    def change(self, name: str, values: dict[str, str]) -> None:
        """Set some settings of a file, which is made if need be; an empty value forgets its key.

        Raises
        ------
        QueryError
            If the name or a key cannot be used, or there would be more than is kept; nothing was changed.
        StoreError
            If the disk does not take it.
        """
        path = self._path(name)
        for key in values:
            if not _KEY.fullmatch(key):
                raise QueryError(
                    f"cannot keep setting {key[:100]!r}: expected a key of letters, digits, dots and underscores"
                )
        with self._lock:
            settings = self._read(path)
            if settings is None and len(list(self._directory.glob(f"*{_SUFFIX}"))) >= FILES_MAX:
                raise QueryError(f"cannot keep settings {name}: there are {FILES_MAX} files; expected fewer")
            kept = {key: value for key, value in ((settings or {}) | values).items() if value}
            lines = [_HEAD, *(f"{key}={quoted(kept[key])}" for key in sorted(kept))]
            text = "".join(f"{line}\n" for line in lines).encode()
            if len(text) > FILE_BYTES_MAX:
                raise QueryError(f"cannot keep settings {name}: more than {FILE_BYTES_MAX} bytes; expected fewer")
            try:
                self._files.make_directory(self._directory)
                self._files.write_whole(path, [text])
            except OSError as error:
                raise StoreError(f"cannot keep settings {name}: {error.strerror}") from error

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise QueryError(f"cannot find settings {name[:100]!r}: expected a name of letters, digits, -, _ and dots")
        return self._directory / f"{name}{_SUFFIX}"

    def _read(self, path: Path) -> dict[str, str] | None:
        try:
            with path.open("rb") as file:
                text = file.read(FILE_BYTES_MAX + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"cannot read {path}: {error.strerror}") from error
        if len(text) > FILE_BYTES_MAX:
            raise StoreError(f"cannot read {path}: it has more than {FILE_BYTES_MAX} bytes; expected fewer")
        lines = text.decode("utf-8", "replace").split("\n")
        pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
        return {key.strip(): unquoted(value).strip() for key, _, value in pairs}


def quoted(value: str) -> str:
    """A value as it stands in a file."""
    return "".join(f"\\{_ESCAPES[one]}" if one in _ESCAPES else one for one in value)


def unquoted(text: str) -> str:
    """The value that stands in a file."""
    return re.sub(r"\\(.)", lambda match: _ESCAPED.get(match[1], match[1]), text, flags=re.DOTALL)
