"""The protocols, each registered by one line in its own file."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from tallystick.parse.contract import Parser

ParserType = TypeVar("ParserType", bound=type[Parser])

_PROTOCOLS: dict[str, type[Parser]] = {}


def protocol(name: str) -> Callable[[ParserType], ParserType]:
    """Register the decorated parser under the word that a listener's config uses."""

    def register(parser: ParserType) -> ParserType:
        if name in _PROTOCOLS:
            raise ValueError(f"cannot register protocol {name!r}: there is one already; expected another name")
        parser.protocol = name
        _PROTOCOLS[name] = parser
        return parser

    return register


def protocols() -> dict[str, type[Parser]]:
    """All protocols by name; each is made by calling it, with ``line_bytes_max=`` if the default is not wanted."""
    _import_all()
    return dict(sorted(_PROTOCOLS.items()))


@cache
def _import_all() -> None:
    """Import every module beside this one, once: each registers what it holds."""
    import tallystick.parse as package

    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
