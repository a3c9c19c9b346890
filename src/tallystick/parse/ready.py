"""`make_ready`: kernels are compiled before a parser is used where others wait.

Numba compiles a kernel at its first call, which takes seconds, once in an installation's life. Parsers are called while
the table of names is locked, so whoever is about to send a protocol's first bytes has its parser made ready before.
"""

import threading

from tallystick.parse.contract import Parser

_ready: set[type[Parser]] = set()
_making = threading.Lock()


def is_ready(parser: Parser) -> bool:
    """Whether nothing has to be compiled any more."""
    return type(parser) in _ready


def make_ready(parser: Parser) -> None:
    """Have the kernels of a parser compiled, or loaded, unless they are."""
    kind = type(parser)
    if kind in _ready:
        return
    with _making:
        if kind not in _ready:
            kind.prepare()
            _ready.add(kind)
