"""MySQL and MariaDB by their status and replication: ``mysql.questions``, ``mysql.innodb.miss_percent`` ...

The user needs no more than ``REPLICATION CLIENT`` (MariaDB: ``SLAVE MONITOR``) and ``PROCESS``. Without a password the
user is that of the agent, whom the Unix socket proves. Passwords are taken from the file or the variable of the config,
else, with the user, from the section ``client`` of ``~/.my.cnf``. One that lets us in by its socket is found.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from tallystick.agent.collecting.collector import Found, IncompleteError, Service
from tallystick.agent.collecting.registry import collector
from tallystick.agent.host import Host, Surroundings
from tallystick.agent.services.failure import RefusedError, ServiceError
from tallystick.agent.services.finding import Candidate, answering, by_path
from tallystick.agent.services.mysql import Mysql as Session
from tallystick.agent.services.mysql import Row
from tallystick.agent.services.reading import Looks, Metric, Ratio, Reading
from tallystick.agent.services.secret import login, read_if_private
from tallystick.agent.services.settings import SocketAddress, SocketSettings
from tallystick.config.table import key
from tallystick.model.point import Point
from tallystick.native.names import component

METRICS = (
    Metric("uptime_s", "Uptime", "Seconds since it was started"),
    Metric("connections.open", "Threads_connected", "Connections"),
    Metric("connections.running", "Threads_running", "of these: a statement runs"),
    Metric("connections.max", "max_connections", "Connections that there may be"),
    Metric("connections.opened", "Connections", "Connections, those that failed too, per second", rate=True),
    Metric("connections.aborted", "Aborted_connects", "Connections that failed, per second", rate=True),
    Metric("connections.broken", "Aborted_clients", "Clients that went without taking leave, per second", rate=True),
    Metric("threads.created", "Threads_created", "Threads not found in the cache, per second", rate=True),
    Metric("questions", "Questions", "Statements of clients, per second; each look of ours is four", rate=True),
    Metric("statements.select", "Com_select", "SELECT, per second", rate=True),
    Metric("statements.insert", "Com_insert", "INSERT, per second", rate=True),
    Metric("statements.update", "Com_update", "UPDATE, per second", rate=True),
    Metric("statements.delete", "Com_delete", "DELETE, per second", rate=True),
    Metric("statements.replace", "Com_replace", "REPLACE, per second", rate=True),
    Metric("statements.commit", "Com_commit", "COMMIT, per second", rate=True),
    Metric("statements.rollback", "Com_rollback", "ROLLBACK, per second", rate=True),
    Metric("statements.slow", "Slow_queries", "Slower than long_query_time, per second", rate=True),
    Metric("select.full_joins", "Select_full_join", "Joins without an index, per second", rate=True),
    Metric("select.scans", "Select_scan", "Joins that read all of their first table, per second", rate=True),
    Metric("sort.merge_passes", "Sort_merge_passes", "Sorts that needed the disk, per second", rate=True),
    Metric("temporary.tables", "Created_tmp_tables", "Temporary tables, per second", rate=True),
    Metric("temporary.on_disk", "Created_tmp_disk_tables", "of these: on disk", rate=True),
    Metric("tables.open", "Open_tables", "Tables in the cache"),
    Metric("tables.opened", "Opened_tables", "Tables not found in the cache, per second", rate=True),
    Metric("locks.waited", "Table_locks_waited", "Locks of tables that were waited for, per second", rate=True),
    Metric("received_bytes", "Bytes_received", "Bytes of clients, per second", rate=True),
    Metric("sent_bytes", "Bytes_sent", "Bytes to clients, per second", rate=True),
    Metric("rows.written", "Handler_write", "Rows written, those of temporary tables too, per second", rate=True),
    Metric("rows.updated", "Handler_update", "Rows updated, per second", rate=True),
    Metric("rows.deleted", "Handler_delete", "Rows deleted, per second", rate=True),
    Metric("rows.read_by_key", "Handler_read_key", "Rows found by an index, per second", rate=True),
    Metric("rows.read_in_turn", "Handler_read_rnd_next", "Rows read one after the other, per second", rate=True),
    Metric("innodb.pool_bytes", "innodb_buffer_pool_size", "Memory for pages"),
    Metric("innodb.pool_used_bytes", "Innodb_buffer_pool_bytes_data", "of these: hold a page"),
    Metric("innodb.pool_dirty_bytes", "Innodb_buffer_pool_bytes_dirty", "of these: not yet written"),
    Metric("innodb.page_requests", "Innodb_buffer_pool_read_requests", "Pages asked for, per second", rate=True),
    Metric("innodb.page_reads", "Innodb_buffer_pool_reads", "Pages not found in memory, per second", rate=True),
    Metric("innodb.pool_waits", "Innodb_buffer_pool_wait_free", "Waits for a free page, per second", rate=True),
    Metric("innodb.lock_waits", "Innodb_row_lock_waits", "Rows' locks that were waited for, per second", rate=True),
    Metric("innodb.lock_wait_ms", "Innodb_row_lock_time", "Time of waiting for them, per second", rate=True),
    Metric("innodb.deadlocks", "Innodb_deadlocks", "Deadlocks (MariaDB), per second", rate=True),
    Metric("innodb.read_bytes", "Innodb_data_read", "Bytes read from files, per second", rate=True),
    Metric("innodb.written_bytes", "Innodb_data_written", "Bytes written to files, per second", rate=True),
    Metric("innodb.log_written_bytes", "Innodb_os_log_written", "Bytes written to the log, per second", rate=True),
    Metric("innodb.log_waits", "Innodb_log_waits", "Waits as the log's buffer was too small, per second", rate=True),
    Metric("galera.nodes", "wsrep_cluster_size", "Nodes of a Galera cluster"),
    Metric("galera.queue", "wsrep_local_recv_queue", "Writes of others that wait here"),
    Metric("galera.paused_percent", "wsrep_flow_control_paused", "Time that replication was held up", scale=100),
)
USED = Metric("connections.used_percent", "", "Connections, of those that there may be")
READY = Metric("galera.ready", "wsrep_ready", "1 if a node of a Galera cluster takes statements, else 0")
RATIOS = (
    Ratio(
        "innodb.miss_percent",
        ("innodb.page_reads",),
        ("innodb.page_requests",),
        "Pages not found in memory, of those asked for",
    ),
)
REPLICATION = (
    Metric(
        "replication.<channel>.delay_s", "delay", "Of a replica: seconds that it is behind; none while it is broken"
    ),
    Metric("replication.<channel>.io_running", "io", "1 if it receives, else 0"),
    Metric("replication.<channel>.sql_running", "sql", "1 if it applies, else 0"),
)
_SOCKET = re.compile(r"/(?:mysqld?|mariadbd?)(?![a-z])[^/]*\.sock$")  # mysqlx.sock speaks another protocol
_USUAL = ("/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock")
_ASKED = ", ".join(f"'{metric.source}'" for metric in (*METRICS, READY))
_VARIABLES = f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({_ASKED})"
_STATUS = f"SHOW GLOBAL STATUS WHERE Variable_name IN ({_ASKED})"  # a tenth of what there is


class Settings(SocketSettings, frozen=True):
    """A MySQL or MariaDB that is asked."""

    address: SocketAddress = "unix:///run/mysqld/mysqld.sock"
    user: Annotated[str, key("Empty for that of ~/.my.cnf, else the agent's own.")] = ""


@collector("mysql", Settings)
class Mysql(Service[Settings]):
    """A server and what it replicates."""

    TELLS = (*METRICS, USED, READY, *RATIOS, *REPLICATION)

    def __init__(self, settings: Settings, host: Host) -> None:
        super().__init__(settings, host)
        self._looks = Looks(self.TELLS)

    @classmethod
    def discover(cls, around: Surroundings) -> Iterator[Found[Settings]]:
        """By its sockets; the agent's user needs a user of his name, or ~/.my.cnf."""
        return answering(cls, around, candidates(around), lambda place: Settings(address=place))

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        settings = self.settings
        user, password = credentials(settings.user, settings.password)
        with settings.opened(self.limit_s) as stream:
            session = Session(stream, user, password, tls=settings.tls, ca_file=settings.ca_file)
            status = {**_table(session.query(_VARIABLES)), **_table(session.query(_STATUS))}
            channels, refusal = _replication(session)
            session.finish()
        yield from self._looks.points(read(status, channels), monotonic_s)
        if refusal:
            raise IncompleteError(str(refusal))


def candidates(around: Surroundings) -> Iterator[Candidate]:
    """All sockets that look like theirs, if there is any who could listen to them."""
    if around.running("mysqld", "mariadbd"):
        for path, number in around.sockets.items():
            if _SOCKET.search(path):
                yield Candidate(number, f"unix://{path}", by_path(path, *_USUAL))


def read(status: Mapping[str, str], channels: list[Row]) -> Reading:
    """What the variables and the state of replication say."""
    if "Uptime" not in status:
        raise ServiceError("cannot read MySQL: its answer does not tell its uptime; expected SHOW GLOBAL STATUS")
    # It has no name for a run: what it counts falls back by a restart, in all or in nothing.
    reading = Reading()
    reading.take(METRICS, status)
    reading.count("_uptime_s", reading.levels.get("uptime_s", 0.0))
    if room := reading.levels.get("connections.max"):
        reading.levels[USED.name] = round(100 * reading.levels.get("connections.open", 0.0) / room, 3)
    if reading.levels.get("galera.nodes"):
        reading.levels[READY.name] = float(status.get(READY.source) == "ON")
    else:  # it has the variables, and no cluster
        reading.levels.pop("galera.nodes", None)
    for row in channels[:50]:
        channel = row.get("Channel_Name") or row.get("Connection_name") or "default"
        fields = {
            "delay": _either(row, "Seconds_Behind_Source", "Seconds_Behind_Master"),
            "io": str(int(_either(row, "Replica_IO_Running", "Slave_IO_Running") == "Yes")),
            "sql": str(int(_either(row, "Replica_SQL_Running", "Slave_SQL_Running") == "Yes")),
        }
        reading.take(REPLICATION, fields, f"replication.{component(channel)}")
    return reading


def credentials(user: str, password: str, file: Path = Path("~/.my.cnf")) -> tuple[str, str]:
    """User and password: those given, else those of the section ``client`` of a file that only we can read."""
    if not password and (text := read_if_private(file.expanduser())):
        options = _options(text)
        if not user or user == options.get("user"):
            return user or options.get("user", login()), options.get("password", "")
    return user or login(), password


def _options(text: str) -> Mapping[str, str]:
    import configparser  # which few agents need

    parser = configparser.RawConfigParser(allow_no_value=True, strict=False, comment_prefixes=("#", ";", "!"))
    try:
        parser.read_string(text)
    except configparser.Error:  # its text has the line, in which the password may stand
        raise ServiceError("cannot read ~/.my.cnf: it is no file of options; expected [client] with user=") from None
    section = parser["client"] if parser.has_section("client") else {}
    return {name: (value or "").strip("\"'") for name, value in section.items()}


def _replication(session: Session) -> tuple[list[Row], ServiceError | None]:
    """What the server replicates, by one of the names that the question had in the course of time."""
    mariadb = "MariaDB" in session.version
    for statement in ("SHOW ALL SLAVES STATUS",) if mariadb else ("SHOW REPLICA STATUS", "SHOW SLAVE STATUS"):
        try:
            return session.query(statement), None
        except RefusedError as error:
            refusal = error
    return [], refusal


def _table(rows: list[Row]) -> dict[str, str]:
    return {row["Variable_name"]: row.get("Value", "") for row in rows if "Variable_name" in row}


def _either(row: Row, new: str, old: str) -> str:
    return row.get(new, row.get(old, ""))
