"""Where compiled kernels are kept.

Numba's own cache knows that a kernel changed by the path and the date of its file; it does not see a change in a helper
of another file that was inlined into it. So each module has a folder named by a digest of all the sources that go into
its kernels: a change compiles again what it can have changed, and nothing else.
"""

import hashlib
import os
import platform
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba

_ROOT = Path(__file__).parent.parent.parent
_PACKAGE = "tallystick"
_IMPORT = re.compile(rf"^from ({_PACKAGE}[.\w]*) import ([^(\n]+|\([^)]*\))", re.MULTILINE)


def folder() -> Path:
    """The folder of all compiled kernels: ``NUMBA_CACHE_DIR``, or one in the user's cache."""
    if numba.config.CACHE_DIR:
        return Path(numba.config.CACHE_DIR)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / _PACKAGE / "kernels"


def digest_of_all() -> str:
    """Changes whenever any kernel has to be compiled again."""
    digest = hashlib.blake2b(digest_size=8)
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(digest_of(source).encode())
    return digest.hexdigest()


@cache
def digest_of(source: Path) -> str:
    """A digest of a source file, of those of the package that it imports, and of what compiles them."""
    made_by = f"{numba.__version__} {llvmlite.__version__} {platform.python_version()} {numba.config.BOUNDSCHECK}"
    digest = hashlib.blake2b(made_by.encode(), digest_size=8)
    for file in sorted(_with_imports(source)):
        digest.update(file.read_bytes())
    return digest.hexdigest()


class SourceDigestLocator:
    """Tells Numba where the compiled code of a function is; see ``NUMBA_CACHE_LOCATOR_CLASSES``."""

    def __init__(self, function: Callable[..., Any], source: Path) -> None:
        self._line = function.__code__.co_firstlineno
        self._digest = digest_of(source)
        self._path = folder() / f"{source.stem}-{self._digest}"

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> "SourceDigestLocator":
        return cls(function, Path(file))

    def ensure_cache_path(self) -> None:
        self._path.mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        return str(self._path)

    def get_source_stamp(self) -> str:
        return self._digest

    def get_disambiguator(self) -> str:
        return str(self._line)


def kept_by_digest(compile_: Callable[..., Any], function: Callable[..., Any]) -> Any:
    """Have Numba compile a function of ours and keep it here; its functions of others stay where they were."""
    before = numba.config.CACHE_LOCATOR_CLASSES
    numba.config.CACHE_LOCATOR_CLASSES = f"{__name__}.{SourceDigestLocator.__name__}"
    try:
        return compile_(function)
    finally:
        numba.config.CACHE_LOCATOR_CLASSES = before


def _with_imports(source: Path) -> set[Path]:
    found, waiting = {source}, [source]
    while waiting:
        for file in _imports(waiting.pop()):
            if file not in found:
                found.add(file)
                waiting.append(file)
    return found


@cache
def _imports(source: Path) -> tuple[Path, ...]:
    names = [name for match in _IMPORT.finditer(source.read_text()) for name in _names(*match.groups())]
    return tuple(file for name in names if (file := _file_of(name)) is not None)


def _names(module: str, imported: str) -> list[str]:
    """Dotted names that may be modules: the one imported from, and what is imported."""
    return [module, *(f"{module}.{word}" for word in re.findall(r"\w+", imported))]


def _file_of(module: str) -> Path | None:
    path = _ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)
