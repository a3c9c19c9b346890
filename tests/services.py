"""The services that collectors ask, as real daemons: see `daemons`."""

import getpass
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from certificates import self_signed
from daemons import NOBODY, Daemon, answers, give_to_nobody, program, unprivileged
from ports import free_port

NGINX = """
daemon off; master_process on; worker_processes 1; pid {root}/nginx.pid; error_log {root}/error.log; user {user};
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location /nginx_status {{ stub_status; }}
    location / {{ return 200 "hello\\n"; }}
  }}
}}
"""
APACHE = """
ServerRoot {root}
ServerName localhost
PidFile {root}/apache.pid
ErrorLog {root}/error.log
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule status_module {modules}/mod_status.so
LoadModule alias_module {modules}/mod_alias.so
DocumentRoot {root}
User {user}
Group nogroup
StartServers 1
ThreadsPerChild 4
MaxRequestWorkers 8
ExtendedStatus On
<Location /server-status>
  SetHandler server-status
</Location>
"""
HAPROXY = """
global
  stats socket {root}/admin.sock mode 600 level user
  maxconn 100
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend web
  bind 127.0.0.1:{port}
  default_backend app
backend app
  server one 127.0.0.1:{one} check inter 100ms fall 1 rise 1
  server two 127.0.0.1:{two} check inter 100ms fall 1 rise 1
listen stats
  bind 127.0.0.1:{stats}
  stats enable
  stats uri /stats
"""


def nginx(root: Path) -> tuple[Daemon, int]:
    """An nginx that answers everything, and its status; and its port."""
    binary, port = program("nginx"), free_port()
    (root / "nginx.conf").write_text(NGINX.format(root=root, port=port, user=getpass.getuser()))
    argv = [binary, "-p", str(root), "-c", str(root / "nginx.conf"), "-e", str(root / "error.log")]
    return Daemon(argv, root, lambda: answers(port), signal.SIGTERM), port


def apache(root: Path) -> tuple[Daemon, int]:
    """An Apache with ``mod_status``, and its port."""
    binary, port = program("apache2"), free_port()
    give_to_nobody(root)
    (root / "index.html").write_text("x" * 2048)
    text = APACHE.format(root=root, port=port, modules="/usr/lib/apache2/modules", user=NOBODY)
    (root / "apache.conf").write_text(text)
    argv = [binary, "-d", str(root), "-f", str(root / "apache.conf"), "-DFOREGROUND"]
    return Daemon(argv, root, lambda: answers(port), signal.SIGTERM), port


def redis(root: Path, *more: str) -> tuple[Daemon, int]:
    """A Redis, and its port; its socket is ``redis.sock``."""
    port = free_port()
    argv = [
        program("redis-server"),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(root),
        "--repl-diskless-sync-delay",
        "0",
    ]
    argv += ["--unixsocket", str(root / "redis.sock"), *more]
    return Daemon(argv, root, lambda: answers(port)), port


def memcached(root: Path, *more: str) -> tuple[Daemon, int]:
    """A memcached, and its port."""
    port = free_port()
    argv = unprivileged([program("memcached"), "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-m", "16", *more])
    return Daemon(argv, root, lambda: answers(port)), port


def haproxy(root: Path, one: int, two: int) -> tuple[Daemon, int, int]:
    """An HAProxy before two servers, its port and that of its page; its socket is ``admin.sock``."""
    port, stats = free_port(), free_port()
    (root / "haproxy.cfg").write_text(HAPROXY.format(root=root, port=port, stats=stats, one=one, two=two))
    daemon = Daemon([program("haproxy"), "-db", "-f", str(root / "haproxy.cfg")], root, lambda: answers(port))
    return daemon, port, stats


def postgresql(root: Path) -> tuple[Daemon, int]:
    """A PostgreSQL of nobody's, and its port; its socket is in `root`, its certificate ``cert.pem`` there.

    The role of the tests' own user comes by the socket, whose peer proves it; ``postgres`` comes by it, too; over TCP
    both prove their password, which is ``secret``.
    """
    give_to_nobody(root)
    data, port, first, user = root / "data", free_port(), root / "first", getpass.getuser()
    first.write_text("secret")
    give_to_nobody(first)
    make = [program("initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--pwfile", str(first), "--no-sync"]
    subprocess.run(
        unprivileged([*make, "-E", "UTF8", "--locale=C.UTF-8"]), check=True, capture_output=True, cwd=root, timeout=100
    )
    (data / "pg_hba.conf").write_text(
        f"local all {user} peer\nlocal all all trust\nlocal replication all trust\n"
        "host all old 127.0.0.1/32 md5\nhost all bare 127.0.0.1/32 password\nhost all all 127.0.0.1/32 scram-sha-256\n"
    )
    self_signed(root)
    for file in ("cert.pem", "key.pem"):
        give_to_nobody(root / file)
        (root / file).chmod(0o600 if file == "key.pem" else 0o644)
    settings = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": root, "fsync": "off"}
    settings |= {"shared_buffers": "16MB", "max_connections": 20, "wal_level": "replica", "max_wal_senders": 3}
    settings |= {"ssl": "on", "ssl_cert_file": root / "cert.pem", "ssl_key_file": root / "key.pem"}
    return _postgres(root, data, port, settings), port


def standby(root: Path, of: Path, port: int) -> tuple[Daemon, int]:
    """A PostgreSQL that follows another one, whose socket is in `of`; and its port."""
    give_to_nobody(root)
    data, own = root / "data", free_port()
    take = [program("pg_basebackup"), "-h", str(of), "-p", str(port), "-U", "postgres", "-D", str(data), "-R"]
    take += ["--checkpoint=fast", "--no-sync", "-C", "-S", "follower"]
    subprocess.run(unprivileged(take), check=True, capture_output=True, cwd=root, timeout=100)
    settings = {"port": own, "listen_addresses": "", "unix_socket_directories": root, "fsync": "off"}
    return _postgres(root, data, own, settings | {"max_connections": 20, "shared_buffers": "16MB"}), own


def _postgres(root: Path, data: Path, port: int, settings: Mapping[str, object]) -> Daemon:
    argv = [program("postgres"), "-D", str(data), *(f"--{name}={value}" for name, value in settings.items())]
    ready = [program("pg_isready"), "-q", "-h", str(root), "-p", str(port)]
    return Daemon(unprivileged(argv), root, lambda: subprocess.run(ready, check=False).returncode == 0, signal.SIGQUIT)


def mariadb(root: Path) -> tuple[Daemon, int]:
    """A MariaDB of nobody's, whose user ``tallystick`` has the password ``secret``; and its port.

    Its socket is ``mysql.sock``; by it ``root`` comes without a password.
    """
    give_to_nobody(root)
    port = free_port()
    data, first = root / "data", root / "first.sql"
    data.mkdir()
    give_to_nobody(data)
    sizes = ["--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M", "--skip-log-bin", "--performance-schema=off"]
    common = unprivileged([program("mariadbd"), "--no-defaults", f"--datadir={data}", *sizes])
    # What mariadb-install-db does, which Debian has in a package that would start a server of its own.
    tables = [Path("/usr/share/mysql", f"mysql_system_tables{part}.sql").read_bytes() for part in ("", "_data")]
    begin = b"CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\nSET @skip_auth_anonymous = 1;\n"
    statements = begin + b"".join(tables) + b"CREATE DATABASE shop;\n"
    subprocess.run([*common, "--bootstrap"], input=statements, check=True, capture_output=True, cwd=root, timeout=100)
    first.write_text(
        "CREATE OR REPLACE USER tallystick@localhost IDENTIFIED BY 'secret';\n"
        "GRANT SLAVE MONITOR, PROCESS ON *.* TO tallystick@localhost;\n"
    )
    first.chmod(0o644)
    self_signed(root)
    for file in ("cert.pem", "key.pem"):
        give_to_nobody(root / file)
    common += [f"--ssl-cert={root / 'cert.pem'}", f"--ssl-key={root / 'key.pem'}"]
    argv = [*common, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={root / 'mysql.sock'}"]
    argv += [f"--pid-file={root / 'pid'}", f"--init-file={first}", "--skip-name-resolve=0"]
    return Daemon(argv, root, lambda: answers(port)), port


def ask(port: int, path: str = "/") -> bytes:
    """A GET on a connection of its own; the whole answer."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            return answer.read()


def is_root() -> bool:
    """Whether the tests run as root."""
    return os.geteuid() == 0
