"""Reading series from the store, each path of a request once, those of the same range together."""

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import QueryError
from tallystick.model.statistic import Statistic
from tallystick.query.context import Context
from tallystick.query.plan import Wish
from tallystick.query.selection import Selection
from tallystick.query.series import SeriesList
from tallystick.query.session import Session, Wanted


def fetch_path(context: Context, pattern: str) -> SeriesList:
    """The series that a glob matches, by name.

    Raises
    ------
    QueryError
        If the glob cannot be read.
    LimitError
        If the request has then read more than a limit allows.
    GoneError
        If who asked has gone.
    """
    return _fetch(context, Wish(pattern))


def fetch_tagged(context: Context, expressions: Sequence[str], text: str) -> SeriesList:
    """The series that tag expressions select, by name; `text` is the call that stands for them in names.

    Raises
    ------
    QueryError
        If an expression cannot be read.
    LimitError
        If the request has then read more than a limit allows.
    GoneError
        If who asked has gone.
    """
    return _fetch(context, Wish(text, tuple(expressions)))


def _fetch(context: Context, wish: Wish) -> SeriesList:
    if context.from_s > context.request.now_s:
        return SeriesList()
    session = context.session
    wanted: Wanted = Statistic.DEFAULT if context.wanted is None else context.wanted
    every = tuple(session.statistics) if wanted in session.statistics else (wanted,)
    where = (*context.lines, context.consolidation)
    if (wish, *where, wanted) not in session.fetched:
        _read_together(context, wish, every, where)
    owed = session.unpaid.pop((wish, *where, every), None)
    if owed is not None:
        session.charge(*owed)
    return session.fetched[(wish, *where, wanted)]


def _read_together(context: Context, wish: Wish, every: tuple[Wanted, ...], where: tuple[object, ...]) -> None:
    """Read what is wished for, and with it all that the plan says will be wished for at the same range."""
    session = context.session
    own = _found(session, wish)
    others = [one for one in context.alike if one != wish and (one, *where, every[0]) not in session.fetched]
    selection = Selection(context, every, [(wish, own), *_findable(session, others)])
    size, *more = selection.sizes
    session.charge(*size)
    if not session.has_room(sum(series for series, _ in more), sum(points for _, points in more)):
        selection = Selection(context, every, [(wish, own)])
    for (one, _), owed, found in zip(selection.paths, selection.sizes, selection.read(), strict=True):
        for statistic, series in found.items():
            session.fetched[(one, *where, statistic)] = series
        if one != wish:
            session.unpaid[(one, *where, every)] = owed


def _found(session: Session, wish: Wish) -> NDArray[np.int32]:
    """The series that are wished for; looked up once in a request."""
    if wish.text not in session.ids:
        catalog = session.store.catalog
        session.ids[wish.text] = catalog.tagged(wish.expressions) if wish.expressions else catalog.find(wish.text)
    return session.ids[wish.text]


def _findable(session: Session, wishes: Sequence[Wish]) -> Iterator[tuple[Wish, NDArray[np.int32]]]:
    """Those of some wishes that can be looked up; what is wrong with the others is told when their turn comes."""
    for wish in wishes:
        with contextlib.suppress(QueryError):
            yield wish, _found(session, wish)
