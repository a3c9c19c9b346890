"""Tallystick: a metrics platform whose numbers add up.

`tallystick.open` and `tallystick.connect` read numbers, `tallystick.sensors` sends them.
"""

from tallystick.version import __version__

TYPE_CHECKING = False  # as in typing, which takes as long to load as all the rest that a short command needs
if TYPE_CHECKING:
    from tallystick.database import connect as connect
    from tallystick.database import open as open

__all__ = ["__version__", "connect", "open"]

_LAZY = ("connect", "open")


def __getattr__(name: str) -> object:
    # Whoever counts something in a program imports this package: the database is loaded by those who read.
    if name not in _LAZY:
        raise AttributeError(f"module 'tallystick' has no attribute {name!r}")
    from tallystick import database

    return getattr(database, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
