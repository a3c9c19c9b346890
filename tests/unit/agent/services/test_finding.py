"""What of each kind is found on a host that has several, and what they are called: trees of files stand for hosts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import pytest

from tallystick.agent import Host, Point, Service, Surroundings
from tallystick.agent.collectors import apache, haproxy, jmx, memcached, mysql, nginx, postgresql, redis
from tallystick.agent.host.surroundings import TRIES_MAX
from tallystick.agent.services.finding import Candidate, answering, by_path, near
from tallystick.config.table import Table, key


class Tree:
    """A host of files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._pids = 100
        self._sockets: list[tuple[str, int, int]] = []

    def write(self, path: str, text: str) -> None:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def runs(self, name: str, *arguments: str, parent: int = 1) -> int:
        """A process, and its number."""
        self._pids += 1
        self.write(f"proc/{self._pids}/comm", f"{name}\n")
        self.write(f"proc/{self._pids}/cmdline", "\0".join(arguments) + "\0")
        self.write(f"proc/{self._pids}/stat", f"{self._pids} (a) b) S {parent} 0 0")
        return self._pids

    def listens(self, path: str, number: int) -> None:
        """A Unix socket, and a client of it, who is no socket of its own."""
        self._sockets += [(path, number, 0x10000), (path, number + 1, 0)]
        rows = [f"0: 00000002 00000000 {flags:08X} 0001 01 {inode} {of}\n" for of, inode, flags in self._sockets]
        self.write("proc/net/unix", "Num RefCount Protocol Flags Type St Inode Path\n" + "".join(rows))

    @property
    def around(self) -> Surroundings:
        return Surroundings(Host(str(self.root)))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def found(candidates: Callable[[Surroundings], Iterator[Candidate]], tree: Tree) -> dict[str, str]:
    """Places by what they are called."""
    return {instance: place for _, place, instance in candidates(tree.around)}


def test_every_nginx_is_found_by_its_own_configuration(tree: Tree) -> None:
    page = "http { server { listen 127.0.0.1:%d; location /status { stub_status; } } }"
    tree.write("etc/nginx/nginx.conf", "include conf.d/*.conf;")
    tree.write("etc/nginx/conf.d/status.conf", page % 8080)
    tree.write("srv/shop/nginx.conf", page % 8081)
    tree.write("srv/blog/conf/nginx.conf", page % 8082)
    tree.write("srv/bare/nginx.conf", "http { }")
    for argv in ("/usr/sbin/nginx", "nginx -c /srv/shop/nginx.conf", "nginx -p /srv/blog/ -c conf/nginx.conf"):
        tree.runs("nginx", f"nginx: master process {argv}")
        tree.runs("nginx", "nginx: worker process")
    tree.runs("nginx", "nginx: master process nginx -c /srv/bare/nginx.conf")
    assert found(nginx.candidates, tree) == {
        "": "http://127.0.0.1:8080/status",
        "8081": "http://127.0.0.1:8081/status",
        "8082": "http://127.0.0.1:8082/status",
    }


def test_every_apache_is_found_and_its_workers_are_none(tree: Tree) -> None:
    page = 'Listen %d\n<Location "/server-status">\nSetHandler server-status\n</Location>\n'
    tree.write("etc/apache2/apache2.conf", "Include ports.conf\n")
    tree.write("etc/apache2/ports.conf", page % 80)
    tree.write("etc/apache2-shop/apache2.conf", page % 8081)
    tree.write("srv/blog/blog.conf", page % 8082)
    own = ("-d", "/etc/apache2-shop"), ("-d", "/srv/blog", "-f", "/srv/blog/blog.conf")
    for options in ((), *own):
        master = tree.runs("apache2", "/usr/sbin/apache2", *options, "-k", "start")
        for _ in range(3):
            tree.runs("apache2", "/usr/sbin/apache2", *options, "-k", "start", parent=master)
    candidates = list(apache.candidates(tree.around))
    assert [(of.instance, of.place) for of in candidates] == [
        ("", "http://127.0.0.1:80/server-status?auto"),
        ("8081", "http://127.0.0.1:8081/server-status?auto"),
        ("8082", "http://127.0.0.1:8082/server-status?auto"),
    ]


def test_every_haproxy_is_found_by_the_path_of_its_configuration(tree: Tree) -> None:
    for file, name in (("haproxy", "admin"), ("haproxy-shop", "shop")):
        tree.write(f"etc/haproxy/{file}.cfg", f"global\n  stats socket /run/haproxy/{name}.sock mode 660\n")
        master = tree.runs("haproxy", "/usr/sbin/haproxy", "-Ws", "-f", f"/etc/haproxy/{file}.cfg")
        tree.runs("haproxy", "/usr/sbin/haproxy", "-Ws", "-f", f"/etc/haproxy/{file}.cfg", parent=master)
    candidates = list(haproxy.candidates(tree.around))
    assert [(of.instance, of.place) for of in candidates] == [
        ("", "unix:///run/haproxy/admin.sock"),
        ("etc-haproxy-haproxy-shop", "unix:///run/haproxy/shop.sock"),
    ]


def test_databases_are_found_by_their_sockets_of_which_each_is_somebody(tree: Tree) -> None:
    for port, number in ((5432, 11), (5433, 21)):
        tree.listens(f"/run/postgresql/.s.PGSQL.{port}", number)
    assert [(of.who, of.instance, of.place) for of in postgresql.candidates(tree.around)] == [
        (11, "", "unix:///run/postgresql/.s.PGSQL.5432"),
        (21, "5433", "unix:///run/postgresql/.s.PGSQL.5433"),
    ]
    for path, number in (("mysqld/mysqld", 31), ("mysqld/mysqld2", 41), ("shop/mysqld", 51), ("mysqld/mysqlx", 61)):
        tree.listens(f"/run/{path}.sock", number)
    assert not found(mysql.candidates, tree), "nobody runs who could listen"
    tree.runs("mariadbd", "/usr/sbin/mariadbd")
    assert found(mysql.candidates, tree) == {
        "": "unix:///run/mysqld/mysqld.sock",
        "run-mysqld-mysqld2": "unix:///run/mysqld/mysqld2.sock",
        "run-shop-mysqld": "unix:///run/shop/mysqld.sock",
    }


def test_caches_and_jvms_are_called_by_port_or_socket(tree: Tree) -> None:
    for title in ("*:6379", "127.0.0.1:6380", "unixsocket:/run/shop/redis.sock", "unixsocket:/run/blog/redis.sock"):
        tree.runs("redis-server", f"/usr/bin/redis-server {title}")
    assert found(redis.candidates, tree) == {
        "": "tcp://127.0.0.1:6379",
        "6380": "tcp://127.0.0.1:6380",
        "run-shop-redis": "unix:///run/shop/redis.sock",
        "run-blog-redis": "unix:///run/blog/redis.sock",
    }
    for options in ((), ("-p", "11212"), ("-s", "/run/shop/memcached.sock")):
        tree.runs("memcached", "/usr/bin/memcached", "-m", "64", *options)
    assert found(memcached.candidates, tree) == {
        "": "tcp://127.0.0.1:11211",
        "11212": "tcp://127.0.0.1:11212",
        "run-shop-memcached": "unix:///run/shop/memcached.sock",
    }
    for options in ("", "=port=8779,host=127.0.0.1"):
        tree.runs("java", "/usr/bin/java", f"-javaagent:/opt/jolokia-jvm.jar{options}", "-jar", "shop.jar")
    assert found(jmx.candidates, tree) == {
        "": "http://127.0.0.1:8778/jolokia/",
        "8779": "http://127.0.0.1:8779/jolokia/",
    }


class Settings(Table, frozen=True):
    """Of a service."""

    place: Annotated[str, key("Where it is.")] = ""


class Answering(Service[Settings]):
    """Answers where it is noted here, and notes who was asked."""

    at: ClassVar[set[str]] = set()
    asked: ClassVar[list[str]] = []

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        self.asked.append(self.settings.place)
        if self.settings.place not in self.at:
            raise ConnectionRefusedError
        yield Point("x", 1.0)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(Answering, "at", {"a", "b"})
    monkeypatch.setattr(Answering, "asked", [])
    return Answering.asked


def names(around: Surroundings, *candidates: Candidate) -> list[str]:
    return [of.settings.place for of in answering(Answering, around, candidates, lambda place: Settings(place=place))]


def test_each_is_found_once_by_the_first_place_that_answers(asked: list[str]) -> None:
    around = Surroundings(Host())
    told = (Candidate(1, "x"), Candidate(1, "a"), Candidate(1, "b"), Candidate(2, "a"), Candidate(3, "b"))
    assert names(around, *told) == ["a", "b"]
    assert asked == ["x", "a", "b"], "the second one's place is that of the first, and the first has one already"


def test_a_neighbour_that_refuses_costs_others_none_of_their_tries(asked: list[str]) -> None:
    around = Surroundings(Host())
    for _ in range(TRIES_MAX + 5):
        names(around, Candidate(1, "x"), Candidate(2, "x"))
    assert len(asked) == 2 * TRIES_MAX
    assert names(around, Candidate(1, "x"), Candidate(2, "x"), Candidate(3, "a")) == ["a"]
    asked.clear()
    names(around, Candidate(4, "x"))
    assert asked == ["x"], "it was started anew"


def test_who_listens_to_an_address_of_the_machine_is_asked_there_first(tree: Tree) -> None:
    assert near("10.0.0.5", "80") == ("10.0.0.5:80", "127.0.0.1:80")
    assert near("", "80") == near("*", "80") == near("[::]", "80") == near("0.0.0.0", "80") == ("127.0.0.1:80",)
    assert (near("[::1]", "80"), near("127.0.0.2", "80")) == (("[::1]:80",), ("127.0.0.2:80",))
    for listened in ("10.0.0.5", "10.0.0.5:11212,127.0.0.1", "[fd00::5]:11213", "fd00::5", "localhost:11214"):
        tree.runs("memcached", "/usr/bin/memcached", "-l", listened)
    assert [of.place.removeprefix("tcp://") for of in memcached.candidates(tree.around)] == [
        *("10.0.0.5:11211", "127.0.0.1:11211", "10.0.0.5:11212", "127.0.0.1:11212"),
        *("[fd00::5]:11213", "127.0.0.1:11213", "[fd00::5]:11211", "127.0.0.1:11211", "127.0.0.1:11214"),
    ]
    tree.runs("redis-server", "/usr/bin/redis-server 10.0.0.5:6379 [cluster]")
    places = [of.place for of in redis.candidates(tree.around)]
    assert places == ["tcp://10.0.0.5:6379", "tcp://127.0.0.1:6379"]
    tree.write("etc/nginx/nginx.conf", "server { listen 10.0.0.5; location /s { stub_status; } }")
    tree.runs("nginx", "nginx: master process nginx")
    assert [of.place for of in nginx.candidates(tree.around)] == ["http://10.0.0.5:80/s", "http://127.0.0.1:80/s"]
    page = 'Listen 10.0.0.5:80\n<Location "/server-status">\nSetHandler server-status\n</Location>\n'
    tree.write("etc/apache2/apache2.conf", page)
    tree.runs("apache2", "/usr/sbin/apache2", "-k", "start")
    assert len(list(apache.candidates(tree.around))) == 2


def test_no_two_paths_are_called_the_same() -> None:
    paths = ("/run/a.d/x.sock", "/run/a/x.sock", "/run/a/y.sock", "/srv/x.sock")
    assert len({by_path(path, "/run/x.sock") for path in paths}) == len(paths)
    assert by_path("/run/x.sock", "/run/x.sock") == ""
