"""PostgreSQL 10 and later by its views: ``postgresql.connections.used``, ``postgresql.database.shop.commits`` ...

The role needs ``pg_monitor``, and no more. Without a password it is that of the agent's user, who is known by the peer
of the Unix socket. Passwords are taken from the file or the variable of the config, else from ``PGPASSFILE`` or
``~/.pgpass``. One that lets us in by its socket is found.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from tallystick.agent.collecting.collector import Found, IncompleteError, Service
from tallystick.agent.collecting.registry import collector
from tallystick.agent.host import Host, Surroundings
from tallystick.agent.services.failure import RefusedError, ServiceError
from tallystick.agent.services.finding import Candidate, answering, by_port
from tallystick.agent.services.postgres import Postgres, Row, ask_for_tls
from tallystick.agent.services.reading import Looks, Metric, Ratio, Reading
from tallystick.agent.services.secret import login, read_if_private
from tallystick.agent.services.settings import SocketAddress, SocketSettings
from tallystick.agent.services.stream import trusting
from tallystick.config.table import key
from tallystick.model.address import Address
from tallystick.model.point import Point
from tallystick.native.names import component

SERVER = (
    Metric("uptime_s", "uptime", "Seconds since it was started"),
    Metric("connections.max", "connections_max", "Connections that there may be, without those kept for superusers"),
    Metric("connections.used", "connections", "Connections of clients"),
    Metric("connections.active", "active", "of these: a query runs"),
    Metric("connections.idle", "idle", "of these: no transaction is open"),
    Metric("connections.idle_in_transaction", "idle_in_transaction", "of these: a transaction is open, and no query"),
    Metric("connections.waiting", "waiting", "of these: wait for a lock"),
    Metric("transactions.oldest_s", "oldest", "Age of the oldest open transaction; vacuum cannot pass it"),
    Metric("locks.held", "held", "Locks that are held"),
    Metric("locks.waiting", "awaited", "Locks that are waited for"),
    Metric("locks.exclusive", "exclusive", "Locks held on tables that keep readers out"),
    Metric("wal.written_bytes", "wal", "Write-ahead log, per second", rate=True),
    Metric("replication.is_standby", "standby", "1 if it follows another server, else 0"),
    Metric(
        "replication.delay_s", "delay", "Of a standby: age of what was replayed last, 0 if nothing is left to replay"
    ),
    Metric("replication.delay_bytes", "unreplayed", "Of a standby: received, and not replayed yet"),
)
WRITING = (
    Metric("checkpoints.timed", "checkpoints_timed", "Checkpoints as their time had come, per second", rate=True),
    Metric("checkpoints.requested", "checkpoints_req", "Checkpoints as there was much to write", rate=True),
    Metric("checkpoints.write_percent", "checkpoint_write_time", "Time that they write", rate=True, scale=0.1),
    Metric("checkpoints.sync_percent", "checkpoint_sync_time", "Time that they wait for disks", rate=True, scale=0.1),
    Metric("buffers.checkpoint", "buffers_checkpoint", "Buffers written by checkpoints, per second", rate=True),
    Metric("buffers.cleaned", "buffers_clean", "Buffers written by the background writer, per second", rate=True),
    Metric("buffers.backend", "buffers_backend", "Buffers that clients' backends had to write", rate=True),
    Metric("buffers.allocated", "buffers_alloc", "Buffers taken for pages, per second", rate=True),
)
DATABASES = (
    Metric("database.<database>.connections", "numbackends", "Connections to a database"),
    Metric("database.<database>.commits", "xact_commit", "Transactions committed, per second", rate=True),
    Metric("database.<database>.rollbacks", "xact_rollback", "Transactions rolled back, per second", rate=True),
    Metric("database.<database>.blocks_read", "blks_read", "Blocks not found in shared buffers", rate=True),
    Metric("database.<database>.blocks_hit", "blks_hit", "Blocks found in shared buffers, per second", rate=True),
    Metric("database.<database>.rows_returned", "tup_returned", "Rows looked at, per second", rate=True),
    Metric("database.<database>.rows_fetched", "tup_fetched", "Rows found by an index, per second", rate=True),
    Metric("database.<database>.rows_inserted", "tup_inserted", "Rows inserted, per second", rate=True),
    Metric("database.<database>.rows_updated", "tup_updated", "Rows updated, per second", rate=True),
    Metric("database.<database>.rows_deleted", "tup_deleted", "Rows deleted, per second", rate=True),
    Metric("database.<database>.conflicts", "conflicts", "Queries cancelled by recovery, per second", rate=True),
    Metric("database.<database>.deadlocks", "deadlocks", "Deadlocks, per second", rate=True),
    Metric("database.<database>.temporary_files", "temp_files", "Files for sorting and joining, per second", rate=True),
    Metric("database.<database>.temporary_bytes", "temp_bytes", "Bytes written to them, per second", rate=True),
    Metric("database.<database>.checksum_failures", "checksum_failures", "Damaged pages, per second", rate=True),
    Metric("database.<database>.frozen_age", "frozen_age", "Transactions since the oldest unfrozen row; below 2^31"),
    Metric("database.<database>.size_bytes", "size", "Size on disk"),
)
REPLICAS = (
    Metric("replica.<replica>.delay_s", "delay", "Until what is written here is replayed there"),
    Metric("replica.<replica>.delay_bytes", "behind", "Written here, and not replayed there yet"),
)
SLOTS = (
    Metric("slot.<slot>.active", "active", "1 if somebody reads the slot, else 0"),
    Metric("slot.<slot>.retained_bytes", "retained", "Write-ahead log that is kept for it"),
)
RATIOS = (
    Ratio(
        "database.<database>.hit_percent",
        ("database.<database>.blocks_hit",),
        ("database.<database>.blocks_hit", "database.<database>.blocks_read"),
        "Blocks found in shared buffers, of all",
    ),
)
USED = Metric("connections.used_percent", "", "Connections, of those that there may be")

_DATABASES_MAX = 100
_SERVER = """
SELECT extract(epoch FROM pg_postmaster_start_time()) AS run,
  extract(epoch FROM now() - pg_postmaster_start_time()) AS uptime,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS connections_max,
  pg_is_in_recovery()::int AS standby
"""
_ACTIVITY = """
SELECT count(*) AS connections, count(*) FILTER (WHERE state = 'active') AS active,
  count(*) FILTER (WHERE state = 'idle') AS idle,
  count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS idle_in_transaction,
  count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting,
  coalesce(max(extract(epoch FROM now() - xact_start)), 0) AS oldest
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_LOCKS = """
SELECT count(*) FILTER (WHERE granted) AS held, count(*) FILTER (WHERE NOT granted) AS awaited,
  count(*) FILTER (WHERE granted AND mode = 'AccessExclusiveLock' AND locktype = 'relation') AS exclusive
FROM pg_locks WHERE pid <> pg_backend_pid()
"""
_PRIMARY = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS wal"
_STANDBY = """
SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
    ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END AS delay,
  pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) AS unreplayed
"""
_REPLICAS = """
SELECT coalesce(nullif(application_name, ''), client_addr::text, pid::text) AS name,
  coalesce(extract(epoch FROM replay_lag), 0) AS delay, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) AS behind
FROM pg_stat_replication ORDER BY pid LIMIT 100
"""
_SLOTS = """
SELECT slot_name AS name, active::int AS active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) AS retained
FROM pg_replication_slots ORDER BY slot_name LIMIT 100
"""
_DATABASES = f"""
SELECT s.*, age(d.datfrozenxid) AS frozen_age FROM pg_stat_database s JOIN pg_database d ON d.oid = s.datid
WHERE NOT d.datistemplate ORDER BY d.oid LIMIT {_DATABASES_MAX}
"""
_SIZES = f"""
SELECT datname, pg_database_size(oid) AS size FROM pg_database
WHERE NOT datistemplate AND has_database_privilege(oid, 'CONNECT') ORDER BY oid LIMIT {_DATABASES_MAX}
"""
_BACKGROUND = "SELECT * FROM pg_stat_bgwriter"
_CHECKPOINTER = """
SELECT num_timed AS checkpoints_timed, num_requested AS checkpoints_req, write_time AS checkpoint_write_time,
  sync_time AS checkpoint_sync_time, buffers_written AS buffers_checkpoint FROM pg_stat_checkpointer
"""


class Settings(SocketSettings, frozen=True):
    """A PostgreSQL that is asked."""

    address: SocketAddress = "unix:///run/postgresql/.s.PGSQL.5432"
    user: Annotated[str, key("The role, which needs pg_monitor; empty for the agent's own user.")] = ""
    database: Annotated[str, key("Where it signs in; all databases are told.")] = "postgres"
    sizes_interval_s: Annotated[
        int, key("Seconds from one reckoning of the databases' sizes to the next; 0 for never.", ge=0)
    ] = 300


@collector("postgresql", Settings)
class Postgresql(Service[Settings]):
    """A server, its databases and its replicas.

    A view that may not be read costs what it would tell; the rest is told, and then what went wrong.
    """

    TELLS = (*SERVER, USED, *WRITING, *DATABASES, *RATIOS, *REPLICAS, *SLOTS)

    def __init__(self, settings: Settings, host: Host) -> None:
        super().__init__(settings, host)
        self._looks = Looks(self.TELLS)
        self._sized_s: float | None = None

    @classmethod
    def discover(cls, around: Surroundings) -> Iterator[Found[Settings]]:
        """By its sockets; the agent's user needs a role of his name, or a line in ~/.pgpass."""
        return answering(cls, around, candidates(around), lambda place: Settings(address=place))

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        settings = self.settings
        with settings.opened(self.limit_s) as stream:
            if settings.tls:
                ask_for_tls(stream)
                stream.secure(trusting(settings.ca_file))
            user = settings.user or login()
            limit_ms = str(int(1000 * self.limit_s))
            options = {"application_name": "tallystick", "statement_timeout": limit_ms}
            session = Postgres(stream, user, settings.database, self._password(user), options)
            asking = Asking(session)
            reading = read(asking, with_sizes=self._is_time_for_sizes(monotonic_s))
            session.finish()
        yield from self._looks.points(reading, monotonic_s)
        if asking.refusal:
            raise IncompleteError(str(asking.refusal))

    def _is_time_for_sizes(self, monotonic_s: float) -> bool:
        every_s = self.settings.sizes_interval_s
        if not every_s or (self._sized_s is not None and monotonic_s - self._sized_s < every_s):
            return False
        self._sized_s = monotonic_s
        return True

    def _password(self, user: str) -> str:
        if given := self.settings.password:
            return given
        text = read_if_private(Path(os.environ.get("PGPASSFILE") or "~/.pgpass").expanduser())
        address = Address.parse(self.settings.address)
        host, port = address.host or "localhost", str(address.port or address.path.rpartition(".")[2])
        return from_passwords(text, (host, port, self.settings.database, user))


def candidates(around: Surroundings) -> Iterator[Candidate]:
    """All sockets; they have the ports in their names, by which the servers of a host differ."""
    for path, number in around.sockets.items():
        port = path.rpartition("/.s.PGSQL.")[2]
        if port.isdigit():
            yield Candidate(number, f"unix://{path}", by_port(port, "5432"))


class Asking:
    """Queries, of which each may be refused for itself; `refusal` is the first."""

    def __init__(self, session: Postgres) -> None:
        self.version = session.version
        self.refusal: ServiceError | None = None
        self._session = session

    def rows(self, statement: str) -> list[Row]:
        """Of the answer; none if it is refused."""
        try:
            return self._session.query(statement)
        except RefusedError as refusal:
            self.refusal = self.refusal or refusal
            return []

    def row(self, statement: str) -> Row:
        """The only one."""
        return next(iter(self.rows(statement)), {})


def read(asking: Asking, *, with_sizes: bool) -> Reading:
    """Ask for everything."""
    server = {**asking.row(_SERVER), **asking.row(_ACTIVITY), **asking.row(_LOCKS)}
    standby = server.get("standby") == "1"
    server.update(asking.row(_STANDBY if standby else _PRIMARY))
    reading = Reading(server.get("run", ""))
    reading.take(SERVER, server)
    if room := reading.levels.get("connections.max"):
        reading.levels[USED.name] = round(100 * reading.levels.get("connections.used", 0.0) / room, 3)
    reading.take(WRITING, {**asking.row(_BACKGROUND), **(asking.row(_CHECKPOINTER) if asking.version >= 17 else {})})
    _each(reading, DATABASES, asking.rows(_DATABASES), "database", "datname")
    if with_sizes:
        _each(reading, DATABASES, asking.rows(_SIZES), "database", "datname")
    if not standby:
        _each(reading, REPLICAS, asking.rows(_REPLICAS), "replica", "name")
        _each(reading, SLOTS, asking.rows(_SLOTS), "slot", "name")
    return reading


def _each(reading: Reading, metrics: Sequence[Metric], rows: Sequence[Row], what: str, column: str) -> None:
    for row in rows:
        if column in row:
            reading.take(metrics, row, f"{what}.{component(row[column])}")


def from_passwords(text: str, wanted: tuple[str, str, str, str]) -> str:
    """The password of the first line of a ``.pgpass`` that is for host, port, database and role; empty if none is.

    In a line, ``*`` is for any, and a backslash stands before a colon or a backslash that is meant.
    """
    for line in text.splitlines():
        fields = _parted(line)
        matching = all(field in ("*", want) for field, want in zip(fields, wanted, strict=False))
        if matching and len(fields) == 5 and not line.startswith("#"):
            return fields[4]
    return ""


def _parted(line: str) -> list[str]:
    fields, escaped = [""], False
    for sign in line:
        if escaped or sign not in "\\:" or (sign == ":" and len(fields) == 5):
            fields[-1] += sign
            escaped = False
        elif sign == "\\":
            escaped = True
        else:
            fields.append("")
    return fields
