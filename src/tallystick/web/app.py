"""The whole HTTP side, put together from its parts."""

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from tallystick.ledger import Ledger
from tallystick.parse.events import EventJournal
from tallystick.store.contract import Store
from tallystick.web.access import Access, WithoutPages
from tallystick.web.api import api_routes
from tallystick.web.errors import exception_handlers
from tallystick.web.events import event_routes
from tallystick.web.graphite import graphite_routes
from tallystick.web.importing import import_routes
from tallystick.web.keeping import Keeper, keeping_routes
from tallystick.web.ledger import ledger_routes
from tallystick.web.metadata import metadata_routes
from tallystick.web.nosniff import NoSniff
from tallystick.web.opentsdb import OpenTsdb
from tallystick.web.reading import Reads
from tallystick.web.series import series_routes
from tallystick.web.static import page_routes
from tallystick.web.statsd import statsd_routes
from tallystick.web.status import Health, status_routes
from tallystick.web.writes import opentsdb, writing_routes
from tallystick.web.writes.writing import Writing

_OF_SENDERS = frozenset({opentsdb.PATH, opentsdb.VERSION_PATH})
"""What whoever reaches OpenTSDB's port may ask."""


def make_app(
    store: Store,
    ledger: Ledger,
    writing: Writing,
    health: Callable[[], Health],
    reads: Reads,
    token: str,
    keeper: Keeper | None = None,
    journal: EventJournal | None = None,
    further: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """An ASGI application that answers everything that is asked over HTTP.

    Parameters
    ----------
    reads
        What queries read.
    journal
        What DogStatsD's events said.
    further
        Routes of what only a whole server has: its block list, and who uses up its room.
    """
    read_by = reads.store, reads.limits, reads.clock, reads.workers, reads.events, reads.descriptions
    # Looked through in this order: what pages and dashboards ask all the time comes first.
    routes = [
        *OpenTsdb(reads).routes(shared=True),
        *api_routes(*read_by),
        *graphite_routes(*read_by),
        *status_routes(health),
        *ledger_routes(ledger, writing.intake.taps, store, reads.clock, reads.workers),
        *writing_routes(writing),
        *import_routes(store),
        *series_routes(store),
        *metadata_routes(reads.descriptions, reads.store, reads.workers, reads.limits.series_max),
        *event_routes(reads.events, reads.clock, reads.workers),
        *(keeping_routes(keeper) if keeper is not None else ()),
        *statsd_routes(journal or EventJournal()),
        *further,
        *page_routes(),
    ]
    middleware = [Middleware(NoSniff), Middleware(Access, token=token)]
    return Starlette(routes=routes, middleware=middleware, exception_handlers=exception_handlers)


def make_opentsdb_app(writing: Writing, reads: Reads, token: str) -> ASGIApp:
    """What is answered to HTTP on the port of OpenTSDB's lines.

    Whoever may send lines to that port may put points over HTTP as well, without a token; who reads has to be on this
    machine or needs the token, as everywhere.
    """
    reading = OpenTsdb(reads)
    routes = [*opentsdb.routes(writing), *reading.routes(shared=False), *reading.refusals()]
    middleware = [
        Middleware(NoSniff),
        Middleware(WithoutPages, paths=_OF_SENDERS),
        Middleware(Access, token=token, open_paths=_OF_SENDERS),
    ]
    return Starlette(routes=routes, middleware=middleware, exception_handlers=exception_handlers)
