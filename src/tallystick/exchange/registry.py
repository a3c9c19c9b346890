"""The formats that history comes from and goes to, each registered by one line in its own file."""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Protocol

from tallystick.store.history import History


class Watch(Protocol):
    """Who follows a reader: told of what it passes over, and how far it has come."""

    def __call__(self, sentence: str) -> None:
        """Something cannot be read; the sentence names it, and reading goes on behind it."""
        ...

    def came(self, size_bytes: int) -> None:
        """So many more bytes of the files were read."""
        ...


Reader = Callable[[Path, Watch], Iterator[History]]
"""Reads a file or a tree; what cannot be read is told to the watch."""
Writer = Callable[[Path, Iterable[History]], None]
"""Writes a file, which is there whole or not at all."""

_READERS: dict[str, Reader] = {}
_WRITERS: dict[str, Writer] = {}


def reader(name: str) -> Callable[[Reader], Reader]:
    """Register the decorated function under the word that ``tallystick store import`` uses."""

    def register(function: Reader) -> Reader:
        _check_free(name, _READERS)
        _READERS[name] = function
        return function

    return register


def writer(name: str) -> Callable[[Writer], Writer]:
    """Register the decorated function under the word that ``tallystick store export`` uses."""

    def register(function: Writer) -> Writer:
        _check_free(name, _WRITERS)
        _WRITERS[name] = function
        return function

    return register


def readers() -> dict[str, Reader]:
    """All formats that can be read, by name."""
    _import_all()
    return dict(sorted(_READERS.items()))


def writers() -> dict[str, Writer]:
    """All formats that can be written, by name."""
    _import_all()
    return dict(sorted(_WRITERS.items()))


def _check_free(name: str, known: Collection[str]) -> None:
    if name in known:
        raise ValueError(f"cannot register format {name!r}: there is one already; expected another name")


@cache
def _import_all() -> None:
    """Import every module beside this one, once: each registers what it holds."""
    import tallystick.exchange as package

    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
