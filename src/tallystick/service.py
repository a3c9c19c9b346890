"""`Service`: builds all stages from a `Config`, and runs them in one process."""

import contextlib
import gc
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from tallystick import __version__
from tallystick.agent import Point, Runner, runner_for
from tallystick.agent.collecting.changes import ToldChange
from tallystick.agent.collecting.describing import Describing
from tallystick.agent.place import agent_word
from tallystick.blocks import FILE_NAME as BLOCKS_FILE_NAME
from tallystick.blocks import BlockList
from tallystick.census import FILE_NAME as SERIES_MARKS_FILE_NAME
from tallystick.census import SAVE_S as MARKS_SAVE_S
from tallystick.census import Census, NotedReader
from tallystick.census import Marks as SeriesMarks
from tallystick.config import Config
from tallystick.described import Descriptions, Keeping
from tallystick.dogstatsd import Event as Told
from tallystick.events import FILE_NAME as EVENTS_FILE_NAME
from tallystick.events import EventStore, Forwarding
from tallystick.ledger import Ledger
from tallystick.ledger.invariants import Auditor
from tallystick.model.address import Address, host_port
from tallystick.model.clock import Clock, SystemClock
from tallystick.model.errors import StoreError
from tallystick.parse import NameTable
from tallystick.parse.contract import Parser
from tallystick.parse.events import EventJournal
from tallystick.parse.native import NativeParser
from tallystick.parse.native_connection import Greeting
from tallystick.parse.neighbour import Neighbour
from tallystick.parse.statsd import StatsdParser
from tallystick.query import QueryLimits
from tallystick.query.outputs import OutputsView
from tallystick.query.statsd_names import Marks, Naming, StatsdView
from tallystick.receive import Doors, Intake, IntakeLimits
from tallystick.receive.bookkeeping import Bookkeeper
from tallystick.receive.pace import Pace
from tallystick.receive.points import take_points
from tallystick.receive.polls import Poller
from tallystick.receive.throttle import Throttle
from tallystick.relay import Relaying
from tallystick.route import Router
from tallystick.route.keeper import RuleKeeper
from tallystick.sockets import bind, bound_address
from tallystick.store.contract import StoreReader
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.names.catalog import SeriesCatalog
from tallystick.store.options import StoreOptions
from tallystick.store.snapshot import DESCRIPTIONS_FILE, SETTINGS_DIRECTORY, STATSD_NAMES_FILE, take_snapshot
from tallystick.web.app import make_app, make_opentsdb_app
from tallystick.web.beside import Beside
from tallystick.web.blocks import block_routes
from tallystick.web.cardinality import cardinality_routes
from tallystick.web.guests import Guests
from tallystick.web.istatd import SettingsStore, make_istatd_app
from tallystick.web.keeping import Compacted, Snapshot
from tallystick.web.reading import Reads
from tallystick.web.relays import relay_routes
from tallystick.web.rules import rules_routes
from tallystick.web.serving import serve
from tallystick.web.status import Health
from tallystick.web.workers import Workers
from tallystick.web.writes.writing import Writing

_THREAD_SWITCH_S = 0.001  # shorter than Python's 5 ms: a receiving thread waits this long for one that computes


class Service:
    """A whole server; `start`, then `stop`.

    Raises
    ------
    StartError
        If an address is taken or the store's directory cannot be used.
    """

    def __init__(self, config: Config, clock: Clock | None = None) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._started_s = self._clock.monotonic()
        books = config.ledger
        self.ledger = Ledger(
            self._clock,
            prefix_depth=books.prefix_depth,
            prefixes_max=books.prefixes_max,
            peers_max=books.peers_max,
            windows_max=books.windows_max,
        )
        self._http = bind(Address("tcp", config.http.host, config.http.port), socket.SOCK_STREAM, "http.address")
        self.http_address = bound_address(Address("tcp", config.http.host, config.http.port), self._http)
        rules = config.store.retention_rules
        self.store = EmbeddedStore(
            config.store.path,
            rules,
            self._clock,
            StoreOptions.configured(config.store),
            aggregation=config.store.aggregation_rules,
        )
        names = NameTable(entries_max=config.store.series_max)
        self.rules = RuleKeeper(config.rules, config.rules_path, self._clock)
        self._router = router = Router(names, self.store.create, self.rules.followed.rules)
        if not router.naming.renames:  # else what will be sent for a series is not known, and only new names count
            _know_series(names, router, self.store.catalog)
        past_s = max(rule.retention.keep_s for rule in rules)
        limits = IntakeLimits(
            config.store.future_limit_s, past_s, max(rule.retention.step_s for rule in config.store.retention_rules)
        )
        throttle = Throttle(config.limits.names_per_s, config.limits.names_burst, self.ledger.host_of)
        pace = Pace(config.limits.samples_per_s, self.ledger, self._clock.monotonic)
        self._marks_of_series = SeriesMarks(self.store.catalog, self._clock, config.store.path / SERIES_MARKS_FILE_NAME)
        self.census = Census(
            self.store.catalog,
            self._marks_of_series,
            self.ledger.host_of,
            depth=config.limits.prefix_depth,
            prefix_max=config.limits.series_per_prefix,
        )
        self.blocks = BlockList(config.store.path / BLOCKS_FILE_NAME, self._clock)
        self.relaying = Relaying(config.relay, self.ledger)
        protection = throttle, self.blocks, pace, self.census, self.relaying or None
        self.intake = Intake(names, router, self.store, self.ledger, self._clock, limits, *protection)
        self.store.when_forgotten(self.intake.forget)
        self._marks = self._make_marks()
        self.events = EventStore(config.store.path / EVENTS_FILE_NAME, self._clock)
        self._forwarding = Forwarding(self.events, self._clock)
        self.descriptions = Descriptions(config.store.path / DESCRIPTIONS_FILE, self._clock)
        self._keeping = Keeping(self.descriptions, self.store.catalog, self._clock, router.series_names)
        self.store.when_forgotten(self._keeping.forget)
        self.intake.meanings.when_told(self._keeping.note_meant)
        self._journal = EventJournal(self._forwarding.note)
        self._writing = Writing(self.intake, self.store.when_durable, config.http)
        self._reads = self._make_reads()
        self._guests = Guests(make_opentsdb_app(self._writing, self._reads, config.http.token))
        self._neighbour = Neighbour(agent_word(config.agent))
        self._doors = Doors(self.intake, self._furnish, {"opentsdb": self._guests.take})
        self._istatd = self._open_istatd()
        self._doors.open(config.listeners, may_be_taken=config.has_default_listeners)
        self.blocks.when_changed(self._tell_what_is_blocked)
        self._auditor = Auditor(self.ledger)
        self._bookkeeper = Bookkeeper(self.intake, self._auditor, self._look_after)
        self._poller = Poller(self.intake, config.polls)
        self._runners = self._make_runners()

    @property
    def listening(self) -> list[tuple[str, Address]]:
        """Protocol and address of each door that is open, beside HTTP's."""
        return self._doors.listening

    @property
    def left_out(self) -> list[str]:
        """Why default listeners are not open, a sentence each."""
        return self._doors.left_out

    def app(self) -> ASGIApp:
        """What answers HTTP."""
        token, keeper, further = self._config.http.token, self, self._protection()
        parts = self.store, self.ledger, self._writing, self.health, self._reads
        return make_app(*parts, token, keeper, self._journal, further)

    def _protection(self) -> list[BaseRoute]:
        """What protects the server from its senders."""
        workers = self._reads.workers
        return [
            *rules_routes(self.rules, lambda: self._router.naming, workers),
            *block_routes(self.blocks, self._blocked_by_rules, self.ledger, self._clock, workers),
            *cardinality_routes(self.census, self._clock, workers),
            *relay_routes(self.relaying),
        ]

    def _blocked_by_rules(self) -> list[str]:
        return [rule.regex or rule.match for rule in self.rules.followed.rules if rule.block]

    def _make_reads(self) -> Reads:
        """What queries share, whichever way they come."""
        limits = QueryLimits.configured(self._config.query)
        outputs = OutputsView(NotedReader(self.store, self._marks_of_series), lambda: self._router.naming.aggregates)
        self.store.when_forgotten(outputs.forget)
        reading: StoreReader = outputs
        if self._marks is not None:
            reading = StatsdView(reading, self._marks, Naming.configured(self._config.statsd), self._clock)
        return Reads(reading, limits, self._clock, Workers(limits.workers), self.events, self.descriptions)

    def snapshot(self, name: str) -> Snapshot:
        """See `Keeper.snapshot`."""
        destination = self._config.store.snapshots_path / name
        if self._marks is not None:
            self._marks.save()
        return Snapshot(str(destination), take_snapshot(self.store, destination))

    def compact(self) -> Compacted:
        """See `Keeper.compact`."""
        try:
            self.store.maintenance.seal()
            jobs = self.store.maintenance.compact()
        except OSError as error:
            raise StoreError(f"cannot compact: {error.strerror}") from error
        entries = self.store.block_set.manifest.blocks
        return Compacted(jobs, len(entries), sum(entry.file_bytes for entry in entries))

    def start(self) -> None:
        """Take data: doors open, collectors run, the store is maintained."""
        self.store.start()
        self.blocks.start()
        self.relaying.start()
        self._forwarding.start()
        self._keeping.start()
        self._doors.start()
        self._poller.start()
        for runner in self._runners:
            runner.start()
        self._bookkeeper.start()
        self.rules.start(self._router)

    def stop(self) -> None:
        """Close the doors, make everything safe, let go of the store."""
        self.rules.stop()
        self._poller.stop()
        for runner in self._runners:
            runner.stop()
        self._doors.stop()
        self._writing.finish()
        self.relaying.stop()
        self._bookkeeper.stop()
        self._forwarding.stop()
        self.blocks.stop()
        self.events.close()
        self._keeping.stop()
        self.descriptions.close()
        if self._marks is not None:
            self._marks.save()
        self._marks_of_series.save()
        self.store.close()

    def serve_http(self) -> None:
        """Answer HTTP until SIGINT or SIGTERM."""
        serve(self.app(), self._http, self._guests, self._istatd)

    def health(self) -> Health:
        """How the server is."""
        status = self.store.status()
        kept = (
            self.events.problems()
            + self.descriptions.problems()
            + self.blocks.problems()
            + self.rules.problems()
            + self._router.problems()
        )
        sides = self.store.problems(), kept, self.intake.problems(), self._auditor.look()
        problems = [problem for side in sides for problem in side]
        return Health(
            "degraded" if problems else "ok",
            __version__,
            len(self.store.catalog),
            status.unsafe_samples,
            round(status.unsafe_s, 3),
            round(self._clock.monotonic() - self._started_s, 3),
            problems,
            [*self._poller.notices(), *self.relaying.problems()],
        )

    def _open_istatd(self) -> Beside | None:
        """istatd's API, if it is to be answered."""
        http = self._config.http
        if not http.istatd_address:
            return None
        address = Address("tcp", *host_port(http.istatd_address))
        listening = bind(address, socket.SOCK_STREAM, "http.istatd_address")
        self._doors.listening.append(("istatd-http", bound_address(address, listening)))
        settings = SettingsStore(self._config.store.path / SETTINGS_DIRECTORY)
        files = Path(http.istatd_files).expanduser() if http.istatd_files else None
        return Beside(make_istatd_app(self._reads, settings, http.token, files), listening)

    def _make_marks(self) -> Marks | None:
        """Which series came by StatsD, if they are to be read by the names that it emits."""
        if not self._config.statsd.names:
            return None
        marks = Marks(self.store, self._config.store.path / STATSD_NAMES_FILE)
        self.intake.when_by_statsd(marks.note)
        self.store.when_forgotten(marks.forget)
        return marks

    def _furnish(self, parser: Parser) -> None:
        """What parsers hand on that is no sample, and what they say to senders."""
        if isinstance(parser, StatsdParser):
            parser.journal = self._journal
        if isinstance(parser, NativeParser):
            parser.greeting.blocklist = self.blocks
            parser.greeting.when_described = self._keeping.note_names
            parser.greeting.neighbour = self._neighbour

    def _tell_what_is_blocked(self) -> None:
        """Tell those who tally themselves what they need not send."""
        self._doors.tell("native", Greeting(blocklist=self.blocks).blocked)

    def _look_after(self) -> None:
        """What is done before the ledger's counts are taken."""
        self._doors.count_drops()
        self.blocks.save()
        self._marks_of_series.save(MARKS_SAVE_S)
        if self._marks is not None:
            self._marks.save()

    def _make_runners(self) -> list[Runner]:
        """The host's collectors as configured; what this host's agent tells is left to it while it is connected."""
        host, describing = self.ledger.account("collectors"), Describing(self._keeping.note_names)

        def take(points: list[Point], timestamp_s: int) -> None:
            told = self._neighbour.told()
            points = [point for point in points if point.name not in told]
            describing.hear(points)
            take_points(self.intake, points, timestamp_s, host)

        def note(change: ToldChange) -> None:
            self._journal.note(Told(change.what, change.data, tags=change.tags))

        return [runner_for(self._config, self._clock, take, discover=False, when_changed=note)]


def run(config: Config, announce: Callable[[Service], None]) -> int:
    """Run a server until SIGINT or SIGTERM.

    Parameters
    ----------
    announce
        Called once everything is open, with the service: what the user is told then is not this module's business.

    Returns
    -------
    int
        Samples that were received and could not be made safe, because the disk refused them to the end.

    Raises
    ------
    StartError, StoreError
        If it cannot start.
    """
    sys.setswitchinterval(_THREAD_SWITCH_S)
    _take_descriptors()
    service = Service(config)
    service.start()
    signal.signal(signal.SIGHUP, lambda *_: service.rules.hurry())
    # What exists now stays: a full collection need not look at it, which would stop every thread for 70 ms.
    gc.collect()
    gc.freeze()
    try:
        with contextlib.suppress(KeyboardInterrupt):  # that is how it is asked to end
            announce(service)
            service.serve_http()
    finally:
        # Whoever asks again must not interrupt what makes everything safe; it takes a few seconds at most.
        for asking in (signal.SIGINT, signal.SIGTERM):
            signal.signal(asking, signal.SIG_IGN)
        service.stop()
    return service.store.status().unsafe_samples


def _take_descriptors() -> None:
    """Take as many file descriptors as the system lets us have: each sender costs one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _know_series(names: NameTable, router: Router, catalog: SeriesCatalog) -> None:
    """Have the names of all series in the table: the limit is for these and new ones together."""
    if catalog.rows > len(catalog):
        catalog.rebuild()  # names that lead nowhere are not to be counted
    known, series = catalog.name_table(max(names.entries_max, len(catalog)))
    names.become(known)
    router.know(np.arange(len(series), dtype=np.int32), series, catalog.kinds(series))
