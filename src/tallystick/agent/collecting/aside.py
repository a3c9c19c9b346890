"""A call that has a thread of its own, so that whoever needs its result can stop waiting for it."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Aside(Generic[T]):
    """Begins the call at once. A call that never ends keeps its thread, which ends with the process.

    Parameters
    ----------
    call
        What is to be done.
    name
        Of the thread.
    """

    def __init__(self, call: Callable[[], T], name: str) -> None:
        self.result: T | None = None
        self.error: Exception | None = None
        self._call = call
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether the call has come to its end, by a result or an error."""
        return not self._thread.is_alive()

    def wait(self, seconds: float) -> bool:
        """Wait for the end, at most so long; whether it has come."""
        self._thread.join(seconds)
        return self.ended

    def _run(self) -> None:
        try:
            self.result = self._call()
        except Exception as error:  # the caller's to tell
            self.error = error
