"""The collectors that there are, by name. Adding one is a file in `collectors` with one `collector` line."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from tallystick.agent.point import Collector

C = TypeVar("C", bound=type[Collector])

_REGISTERED: dict[str, type[Collector]] = {}


def collector(name: str) -> Callable[[C], C]:
    """Make a class known as the collector `name`; the class is made without arguments."""

    def register(kind: C) -> C:
        _REGISTERED[name] = kind
        return kind

    return register


def registered() -> dict[str, type[Collector]]:
    """All collectors by name; the folder is read on the first call."""
    from tallystick.agent import collectors

    for module in iter_modules(collectors.__path__):
        import_module(f"{collectors.__name__}.{module.name}")
    return dict(sorted(_REGISTERED.items()))
