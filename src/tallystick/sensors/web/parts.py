"""`Parts`: an answer that is made while it is sent, looked at on its way."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Protocol


class Visit(Protocol):
    """A request whose answer is counted."""

    sent: int

    def end(self, *, failed: bool = False, cut: bool = False) -> None:
        """Count it, once."""
        ...


def end_by(visit: Visit, error: BaseException) -> None:
    """Count a request that an exception ended: a failure of the application, or of who had to wait for it."""
    failed = isinstance(error, Exception)
    visit.end(failed=failed, cut=not failed)


class Parts:
    """The parts of an answer.

    Parameters
    ----------
    close
        What is to be called at the end beside counting.
    """

    __slots__ = ("_close", "_parts", "_visit")

    def __init__(self, parts: Iterator[bytes], visit: Visit, close: Callable[[], object] | None = None) -> None:
        self._parts = parts
        self._visit = visit
        self._close = close

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            part = next(self._parts)
        except StopIteration:
            self._visit.end()
            raise
        except BaseException as error:
            end_by(self._visit, error)
            raise
        self._visit.sent += len(part)
        return part

    def close(self) -> None:
        """What is not at its end when the server closes it was cut off by its client."""
        try:
            if self._close is not None:
                self._close()
        finally:
            self._visit.end(cut=True)


class AsyncParts:
    """The same, asynchronous."""

    __slots__ = ("_parts", "_visit")

    def __init__(self, parts: AsyncIterator[bytes], visit: Visit) -> None:
        self._parts = parts
        self._visit = visit

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            part = await anext(self._parts)
        except StopAsyncIteration:
            self._visit.end()
            raise
        except BaseException as error:
            end_by(self._visit, error)
            raise
        self._visit.sent += len(part)
        return part

    def close(self) -> None:
        """See `Parts.close`."""
        self._visit.end(cut=True)


def whole_number(text: str) -> int:
    """A length as a header tells it; 0 if it is none."""
    return int(text) if text.isascii() and text.isdigit() else 0
