"""The query functions, each in a small file of its own, entered into the registry by its decorator.

To add one: a file here with one decorated function. Its parameters, their types and defaults are read off its
signature; its description is its docstring.
"""

from importlib import import_module
from pkgutil import iter_modules


def load() -> None:
    """Import every module in this folder, so that its functions are registered."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
