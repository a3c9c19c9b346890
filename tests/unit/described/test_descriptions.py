"""What is known of series beside their numbers: said once for a thousand hosts, written by people, and kept."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from servers import wait_until
from tallystick.config.rules import Rule
from tallystick.described import Descriptions, Keeping, subject_of
from tallystick.described import descriptions as bounds
from tallystick.model.clock import ManualClock, SystemClock
from tallystick.model.description import NOTHING, Description
from tallystick.model.errors import LimitError, QueryError, StoreError
from tallystick.model.kind import Kind
from tallystick.native import Name
from tallystick.parse import NameTable
from tallystick.route import Router
from tallystick.store.memory import MemoryStore

FILE = "descriptions.db"
ORDERS = Description("orders", "team-shop", "Orders that were paid.", "below 1 for 10 min")


@pytest.fixture
def known() -> Descriptions:
    return Descriptions(None, ManualClock())


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("prod.apps.shop.orders", "prod.apps.shop.orders"),
        ("prod.hosts.web.web12.shop.orders", "prod.hosts.*.*.shop.orders"),
        ("prod.hosts.web.web12.shop.view.GET.cart;version=3", "prod.hosts.*.*.shop.view.GET.cart"),
        ("http_requests_total;instance=a:80;job=b", "http_requests_total"),
        ("prod.hosts.web.web12", "prod.hosts.web.web12"),
        ("hosts.web1.cpu.user", "hosts.web1.cpu.user"),
        ("", ""),
    ],
)
def test_one_description_is_for_all_hosts_and_all_tags(name: str, subject: str) -> None:
    assert subject_of(name) == subject


def test_what_one_host_says_is_known_of_a_thousand(known: Descriptions) -> None:
    said = [known.say(f"prod.hosts.web.web{n}.shop.orders", ORDERS) for n in range(1000)]
    assert sum(said) == known.count == known.save() == 1
    assert known.of("prod.hosts.db.db7.shop.orders;version=2") == ORDERS
    assert known.of("prod.hosts.db.db7.till.orders") == NOTHING


def test_only_what_changed_is_saved(known: Descriptions) -> None:
    known.say("a.b", ORDERS)
    assert known.save() == 1
    known.say("a.b", ORDERS)
    assert known.save() == 0
    known.say("a.b", ORDERS._replace(owner="team-till"))
    known.say("a.b", NOTHING)
    assert known.save() == 1
    assert known.of("a.b").owner == "team-till"


def test_people_count_before_programs_names_before_globs_and_later_globs_before_earlier_ones(
    known: Descriptions,
) -> None:
    known.say("prod.apps.shop.orders", ORDERS)
    known.write("prod.apps.*.orders", {"owner": "first", "alert": "first"})
    known.write("prod.apps.shop.orders", {"alert": "exactly"})
    known.write("prod.apps.{shop,till}.*", {"owner": "second"})
    assert known.of("prod.apps.shop.orders;v=1") == ORDERS._replace(owner="second", alert="exactly")
    assert known.of("prod.apps.till.orders") == Description(owner="second", alert="first")
    assert known.of("prod.apps.till.orders.deeper") == NOTHING
    known.write("prod.apps.{shop,till}.*", {"owner": ""})
    assert [one.pattern for one in known.written()] == ["prod.apps.shop.orders", "prod.apps.*.orders"]
    assert known.of("prod.apps.shop.orders").owner == "first"


def test_a_glob_with_tags_is_for_names_that_have_them(known: Descriptions) -> None:
    known.write("disk;host=web*", {"unit": "bytes"})
    assert known.of("disk;host=web1").unit == "bytes"
    assert (known.of("disk;host=db1"), known.of("disk")) == (NOTHING, NOTHING)


def test_senders_do_not_wait_for_the_disk_while_people_write(known: Descriptions) -> None:
    with known._file._lock:  # the disk takes its time
        writer = threading.Thread(target=known.write, args=("a.*", {"unit": "s"}))
        writer.start()
        wait_until(known._writing.locked, "somebody to write")
        assert known.say("a.b", ORDERS)
        assert known.of("a.b") == ORDERS
    writer.join()
    assert known.of("a.b") == ORDERS._replace(unit="s")


def test_what_cannot_be_read_or_is_too_much_is_refused(known: Descriptions, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(QueryError, match="cannot"):
        known.write("a.{b", {"unit": "s"})
    monkeypatch.setattr(bounds, "WRITTEN_MAX", 1)
    known.write("a", {"unit": "s"})
    known.write("a", {"unit": "ms"})
    with pytest.raises(LimitError, match="cannot describe 'b'"):
        known.write("b", {"unit": "s"})


def test_a_flood_of_described_names_is_bounded_and_told() -> None:
    known = Descriptions(None, ManualClock(), said_max=2)
    assert [known.say(f"name{n}", ORDERS) for n in range(4)] == [True, True, False, False]
    assert known.say("name0", ORDERS._replace(unit="carts"))
    (problem,) = known.problems()
    assert problem.startswith("cannot keep 2 descriptions")


def test_what_is_too_long_or_of_several_lines_is_kept_as_far_as_it_can_be() -> None:
    said = Description.said(" by\x00te\n", "x" * 999, "line\r\nline \ud800", "")
    assert said == Description("by te", "x" * 128, "line line ?", "")


def test_everything_is_there_after_another_start(tmp_path: Path) -> None:
    known = Descriptions(tmp_path / FILE, ManualClock())
    known.say("prod.apps.shop.orders", ORDERS)
    known.write("prod.*.shop.*", {"owner": "ann"})
    known.write("a.*", {"owner": "bob"})
    known.save()
    known.close()
    again = Descriptions(tmp_path / FILE, ManualClock())
    assert again.of("prod.apps.shop.orders") == ORDERS._replace(owner="ann")
    assert [one.pattern for one in again.written()] == ["a.*", "prod.*.shop.*"]


def test_what_was_written_survives_being_killed(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tallystick.described import Descriptions;"
        "from tallystick.model.clock import SystemClock;"
        "known = Descriptions(Path(sys.argv[1]), SystemClock());"
        "[print(n, known.write(f'name{n}', {'unit': 's'}).unit, flush=True) for n in range(900)]"
    )
    path = tmp_path / FILE
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        answered = [process.stdout.readline() for _ in range(20)]
        os.kill(process.pid, signal.SIGKILL)
        answered += process.stdout.readlines()
    last = int([line for line in answered if line.endswith(b"\n")][-1].split()[0])
    known = Descriptions(path, ManualClock())
    assert all(known.of(f"name{n}").unit == "s" for n in range(last + 1))


def test_while_the_disk_refuses_what_is_said_is_known_and_waits(tmp_path: Path) -> None:
    known = Descriptions(tmp_path / FILE, ManualClock())
    known._file.connection.execute("pragma query_only = on")
    known.say("a.b", ORDERS)
    with pytest.raises(StoreError, match="cannot keep descriptions"):
        known.save()
    with pytest.raises(StoreError, match="cannot keep descriptions"):
        known.write("a.*", {"unit": "s"})
    assert (known.of("a.b"), known.written()) == (ORDERS, [])
    known._file.connection.execute("pragma query_only = off")
    assert known.save() == 1


def test_descriptions_are_forgotten_with_their_series_at_the_second_look() -> None:
    known, store = Descriptions(None, ManualClock()), MemoryStore()
    store.create(["prod.hosts.web.web1.shop.orders;v=1"], [Kind.COUNTER])
    known.say("prod.hosts.web.web2.shop.orders", ORDERS)
    known.say("coming.soon", ORDERS)
    known.say("gone", ORDERS)
    assert known.forget_missing(store.catalog) == 0
    known.say("coming.soon", ORDERS)
    assert (known.forget_missing(store.catalog), known.has_missing) == (1, True)
    assert known.of("gone") == NOTHING
    assert known.of("prod.hosts.web.web1.shop.orders;v=1") == known.of("coming.soon") == ORDERS


def test_what_senders_say_is_written_soon_and_what_no_series_is_left_of_goes(tmp_path: Path) -> None:
    known, store = Descriptions(tmp_path / FILE, ManualClock()), MemoryStore()
    keeping = Keeping(known, store.catalog, SystemClock(), look_interval_s=0.01)
    keeping.start()
    keeping.note([("a.b", None, ORDERS), ("a.b", Kind.COUNTER, ORDERS)])
    written = Descriptions(tmp_path / FILE, ManualClock())
    wait_until(lambda: known._file.run("look", lambda said: said.execute("select * from said").fetchall()), "a row")
    keeping.forget(store.catalog.ids())
    wait_until(lambda: known.count == 0, "it to be forgotten")
    keeping.note([("c", None, ORDERS)])
    keeping.stop()
    again = Descriptions(tmp_path / FILE, ManualClock())
    assert (again.of("a.b"), again.of("c"), written.of("c")) == (NOTHING, ORDERS, NOTHING)


def test_what_is_said_of_a_name_is_known_of_the_series_that_rules_make_of_it() -> None:
    rules = [
        Rule(rewrite=r"^app\. -> prod.app."),
        Rule(match="prod.app.*", multiplex=("all.{sent}",), kinds=("counter",)),
        Rule(match="*.secret", block=True),
    ]
    known, names = Descriptions(None, ManualClock()), NameTable()
    router = Router(names, MemoryStore().create, rules)
    keeping = Keeping(known, MemoryStore().catalog, ManualClock(), router.series_names)
    kinds = {"app.orders": Kind.COUNTER, "app.level": Kind.GAUGE, "app.secret": Kind.COUNTER}
    keeping.note_names(Name(name, kind, *ORDERS) for name, kind in kinds.items())
    said = {"prod.app.orders", "all.app.orders", "prod.app.level"}
    assert {name for name in [*said, *kinds, "prod.app.secret"] if known.of(name) == ORDERS} == said
