"""Functions of other libraries with something around them."""

import functools
from collections.abc import Callable
from typing import Any

MARK = "__tallystick_wrapped__"


def wrap(owner: object, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace a function of a module or class by what `make` makes of it, once; nothing if it has no such function."""
    original = getattr(owner, name, None)
    if original is not None and not hasattr(original, MARK):
        setattr(owner, name, marked(make(original), original))


def marked(wrapped: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """A function that looks like the one it calls, but for a mark."""
    functools.update_wrapper(wrapped, original)
    setattr(wrapped, MARK, True)
    return wrapped
