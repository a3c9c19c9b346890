"""Packages that are not installed with an agent."""

from collections.abc import Iterator
from contextlib import contextmanager

from tallystick.model.errors import StartError


@contextmanager
def needed(what: str, extra: str) -> Iterator[None]:
    """Around imports of what ``tallystick[extra]`` installs; `what` cannot be done without it.

    Raises
    ------
    StartError
        If one of its packages is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("tallystick"):
            raise
        raise StartError(
            f"cannot {what}: {error.name} is not installed; expected pip install 'tallystick[{extra}]'"
        ) from error
