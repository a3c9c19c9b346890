"""One tree of exceptions. Bad *data* is never raised: it is counted and shown by the ledger."""

from collections.abc import Sequence


class TallystickError(Exception):
    """Whatever Tallystick raises on purpose; its text is one sentence that says what to do."""


class ConfigError(TallystickError):
    """A configuration that cannot be used.

    Parameters
    ----------
    problems
        Every problem found, each with the place it was found in, so that all can be mended at once.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StartError(TallystickError):
    """Something outside of us keeps the server from starting: a taken port, a directory it may not write."""


class QueryError(TallystickError):
    """A query that cannot be answered as asked; HTTP says 400 with this text."""


class LimitError(QueryError):
    """A query that is larger than a configured limit; the text names the limit and its key."""


class GoneError(TallystickError):
    """Who asked has gone: there is nobody to go on for."""


class BlockError(TallystickError):
    """Something that cannot be put on the block list, or taken off it; HTTP says 400 with this text."""


class StoreError(TallystickError):
    """The store cannot do what was asked: a locked directory, a newer format, a full disk."""


class DamageError(StoreError):
    """Bytes on disk do not match their checksum; what they belong to is set aside and named, never served."""


class UnreadableError(DamageError):
    """The disk cannot read something, twice in a row; it is passed over and named, and tried again later."""


class TakenNameError(StoreError):
    """A series cannot get a name that another one has."""


class ForgottenSeriesError(StoreError):
    """Series were deleted or forgotten since their ids were asked for: whoever has their names asks again.

    Parameters
    ----------
    ids
        Ids that no series has any more.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__(
            f"cannot take samples of {len(ids)} series: they were deleted or forgotten; "
            "expected ids of living ones, asked for by name again"
        )
        self.ids = ids


class ForeignFileError(TallystickError):
    """A file of another program cannot be read; whoever reads many of them names it and goes on with the next."""


class ServerError(TallystickError):
    """A server cannot be asked, refuses who asks, or what answers at its address is no Tallystick."""
