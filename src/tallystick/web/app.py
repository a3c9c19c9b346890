"""The whole HTTP side, put together from its parts."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from tallystick.events import EventStore
from tallystick.ledger import Ledger
from tallystick.model.clock import Clock
from tallystick.parse.events import EventJournal
from tallystick.query import QueryLimits
from tallystick.store.contract import Store, StoreReader
from tallystick.web.access import Access
from tallystick.web.api import api_routes
from tallystick.web.errors import exception_handlers
from tallystick.web.events import event_routes
from tallystick.web.graphite import graphite_routes
from tallystick.web.importing import import_routes
from tallystick.web.keeping import Keeper, keeping_routes
from tallystick.web.ledger import ledger_routes
from tallystick.web.nosniff import NoSniff
from tallystick.web.reading import Workers
from tallystick.web.series import series_routes
from tallystick.web.static import page_routes
from tallystick.web.statsd import statsd_routes
from tallystick.web.status import Health, status_routes
from tallystick.web.writes import opentsdb, writing_routes
from tallystick.web.writes.writing import Writing


def make_app(
    store: Store,
    ledger: Ledger,
    writing: Writing,
    health: Callable[[], Health],
    clock: Clock,
    limits: QueryLimits,
    token: str,
    keeper: Keeper | None = None,
    reading: StoreReader | None = None,
    journal: EventJournal | None = None,
    events: EventStore | None = None,
) -> ASGIApp:
    """An ASGI application that answers everything that is asked over HTTP.

    Parameters
    ----------
    reading
        What queries read, where that is more than the store: a view before it.
    journal
        What DogStatsD's events said.
    events
        What happened; kept in memory only if there is no store of them.
    """
    reading = reading or store
    events = EventStore(None, clock) if events is None else events
    workers = Workers(limits.workers)
    routes = [
        *status_routes(health),
        *ledger_routes(ledger, writing.intake.taps, store, clock, workers),
        *writing_routes(writing),
        *import_routes(store),
        *series_routes(store),
        *api_routes(reading, limits, clock, workers, events),
        *graphite_routes(reading, limits, clock, workers, events),
        *event_routes(events, clock, workers),
        *(keeping_routes(keeper) if keeper is not None else ()),
        *statsd_routes(journal or EventJournal()),
        *page_routes(),
    ]
    middleware = [Middleware(NoSniff), Middleware(Access, token=token)]
    return Starlette(routes=routes, middleware=middleware, exception_handlers=exception_handlers)


def make_opentsdb_app(writing: Writing) -> ASGIApp:
    """What is answered to HTTP on the port of OpenTSDB's lines."""
    return Starlette(routes=opentsdb.routes(writing), exception_handlers=exception_handlers)
