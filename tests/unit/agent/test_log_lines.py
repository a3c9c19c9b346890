"""What lines of logs are turned into."""

import pytest

from tallystick.agent.logs.errors import KINDS_MAX, ErrorKinds, shape_of
from tallystick.agent.logs.measures import OTHER, Patterned, Requests
from tallystick.agent.logs.times import Times
from tallystick.agent.logs.weblog import expression
from tallystick.agent.tallies import Tallies
from tallystick.config.logs import LogMetric
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.native import Slot

NOW_S = 1_764_000_000.0
NOW_MS = 1_764_000_000_000
TIME = "[24/Nov/2025:16:00:00 +0000]"  # the same
SAY_MEDIA = r"%h %P %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-agent}i\" \"%v\" %Dusec"


def told(measure: Requests | Patterned, *lines: str) -> tuple[dict[str, Slot], int]:
    tallies = Tallies(ManualClock(NOW_S))
    unread = measure.read([line.encode() for line in lines], NOW_S, tallies)
    return {slot.name: slot for slot in tallies.drain()}, unread


def total(slot: Slot) -> float:
    return slot.spread[1] if slot.spread else slot.last


@pytest.mark.parametrize(
    ("form", "line", "took_s"),
    [
        ("apache", f'127.0.0.1 - - {TIME} "GET /a HTTP/1.0" 200 2326', None),
        ("apache", f'127.0.0.1 - - {TIME} "GET /a HTTP/1.0" 200 2326 "http://x/" "Mozilla/5.0 (x \\"y\\")"', None),
        ("apache", f'shop:80 127.0.0.1 - frank {TIME} "GET /a HTTP/1.0" 200 2326 "-" "-" 5300', 0.0053),
        ("nginx", f'127.0.0.1 - - {TIME} "GET /a HTTP/1.0" 200 2326 "-" "curl" 0.0053', 0.0053),
        (SAY_MEDIA, f'1.2.3.4 77 - {TIME} "GET /a HTTP/1.1" 200 2326 "-" "x y" "shop" 5300usec', 0.0053),
        ("%m %s %B %{ms}T", "GET 200 2326 5", 0.005),
        (
            "$request_method $status $bytes_sent $request_time $time_iso8601",
            "GET 200 2326 0.005 2025-11-24T16:00:00+00:00",
            0.005,
        ),
        ("$status ${request_method} $body_bytes_sent $msec", "200 GET 2326 1764000000.123", None),
    ],
)
def test_a_request_is_counted_whatever_the_format(form: str, line: str, took_s: float | None) -> None:
    slots, unread = told(Requests(form, "shop"), line)
    assert unread == 0
    counted = {name for name, slot in slots.items() if slot.kind is Kind.COUNTER and slot.last == 1.0}
    assert counted == {"shop.requests", "shop.status.200", "shop.method.GET"}
    assert slots["shop.bytes"].last == 2326.0
    assert {slot.at_ms for slot in slots.values()} == {NOW_MS}
    assert (slots["shop.time_s"].last if took_s else None) == (pytest.approx(took_s) if took_s else None)


def test_what_is_no_request_is_told_and_costs_nothing_else() -> None:
    good = f'h - - {TIME} "GET / HTTP/1.1" 200 -'
    slots, unread = told(Requests("apache", "shop"), good, "garbage", "", good, "\x00\xff")
    assert unread == 3
    assert total(slots["shop.requests"]) == 2.0
    assert slots["shop.bytes"].last == 0.0


def test_methods_that_nobody_knows_do_not_make_names() -> None:
    slots, _ = told(
        Requests("apache", "shop"), *(f'h - - {TIME} "{m} / HTTP/1.1" 400 1' for m in ("\\x16\\x03", "EVIL", ""))
    )
    assert total(slots["shop.method.invalid"]) == 3.0
    assert not [name for name in slots if "EVIL" in name]


def test_each_virtual_host_is_counted_by_itself() -> None:
    lines = [f'{host}:443 h - - {TIME} "GET / HTTP/1.1" 200 1' for host in ("a.example", "b.example", "b.example")]
    slots, _ = told(Requests("apache", "{vhost}"), *lines)
    assert slots["a_example.requests"].last == 1.0
    assert total(slots["b_example.requests"]) == 2.0


def test_virtual_hosts_that_a_client_invents_are_bounded() -> None:
    lines = [f'host{k} h - - {TIME} "GET / HTTP/1.1" 200 1' for k in range(3000)]
    slots, _ = told(Requests("apache", "{vhost}"), *lines)
    requests = {name: total(slot) for name, slot in slots.items() if name.endswith(".requests")}
    assert len(requests) == 1001
    assert requests[f"{OTHER}.requests"] == 2000.0


def test_lines_count_in_the_slot_of_their_time() -> None:
    times = (
        "[24/Nov/2025:15:59:59 +0000]",
        "[24/Nov/2025:16:59:50 +0100]",
        "[24/Nov/2035:16:00:00 +0000]",
        "[nonsense]",
    )
    tallies = Tallies(ManualClock(NOW_S))
    Requests("apache", "shop").read([f'h - - {t} "GET / HTTP/1.1" 200 1'.encode() for t in times], NOW_S, tallies)
    counts = {slot.at_ms: total(slot) for slot in tallies.drain() if slot.name == "shop.requests"}
    assert counts == {NOW_MS - 10_000: 2.0, NOW_MS: 2.0}  # what lies ahead, and what is no time, counts now


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"24/Nov/2025:16:00:00 +0000", NOW_S),
        (b"2025-11-24T16:00:00Z", NOW_S),
        (b"2025-11-24 16:00:00,250+00:00", NOW_S + 0.25),
        (b"1764000000.5", NOW_S + 0.5),
        (b"", None),
        (b"yesterday", None),
        (b"99/Nov/2025:16:00:00 +0000", None),
        (b"9" * 400, None),
    ],
)
def test_times_of_lines_are_read(text: bytes, seconds: float | None) -> None:
    assert Times().seconds(text) == seconds


@pytest.mark.parametrize("form", ["combined", "no fields", "%h", "$remote_addr"])
def test_a_format_that_says_nothing_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        expression(form)


def test_patterns_give_counters_timings_gauges_and_distincts() -> None:
    pattern = r"job (?P<queue>\w+) by (?P<user>\w+) took (?P<seconds>[\d.]+) left (?P<left>\d+)(?P<failed> failed)?"
    metrics = [
        LogMetric(name="jobs.{queue}"),
        LogMetric(name="jobs.{queue}.time_s", kind="timing", value="seconds", factor=2),
        LogMetric(name="left", kind="gauge", value="left"),
        LogMetric(name="users", kind="distinct", value="user"),
        LogMetric(name="seconds", value="seconds"),
        LogMetric(name="failures.{failed}"),
    ]
    lines = ["job mail by ann took 0.5 left 7", "job mail by bob took 1.5 left 6 failed", "something else"]
    slots, unread = told(Patterned(pattern, metrics, "worker"), *lines)
    assert unread == 0
    assert {name: slot.last for name, slot in slots.items()} == {
        "worker.jobs.mail": 1.0,
        "worker.jobs.mail.time_s": 3.0,
        "worker.left": 6.0,
        "worker.users": 2.0,
        "worker.seconds": 1.5,
        "worker.failures.failed": 1.0,
    }


def test_a_number_that_is_none_is_told() -> None:
    _, unread = told(
        Patterned(r"took (?P<n>\S+)", [LogMetric(name="n", value="n")], "x"), "took 5", "took off", "took -1"
    )
    assert unread == 2


def test_errors_that_differ_in_what_varies_are_of_one_kind() -> None:
    kinds = ErrorKinds()
    first = (
        b"2026-11-22 10:00:00,123 ERROR [worker-3] cannot reach 10.0.0.7:5432 after 3 tries (id 0x7f3a12bc): timeout"
    )
    second = (
        b"2026-11-22 10:05:09,007 ERROR [worker-12] cannot reach 10.0.0.9:5432 after 31 tries (id 0x7f3a99ff): timeout"
    )
    one, other = kinds.add(first, 1.0), kinds.add(second, 2.0)
    assert one is other
    assert (one.count, one.first_s, one.last_s, list(one.examples)) == (2, 1.0, 2.0, [first.decode(), second.decode()])
    assert kinds.add(b"ERROR: no space left on device", 3.0) is not one
    assert "10.0.0.7" not in one.shape


def test_kinds_and_examples_of_errors_are_bounded() -> None:
    kinds = ErrorKinds()
    for k in range(5 * KINDS_MAX):
        kinds.add(b"error " + bytes(97 + int(digit) for digit in str(k)) * 3 + b"\x00\xff" + 5000 * b"x", float(k))
    assert len(list(kinds)) == KINDS_MAX
    assert all(len(example) <= 500 and example.isprintable() for kind in kinds for example in kind.examples)


def test_a_shape_is_the_same_on_every_host() -> None:
    assert shape_of("open /var/lib/a/b.db failed: user 'ann' <ann@example.org> at http://h/x?y=1") == (
        "open <path> failed: user <text> <<mail>> at <url>"
    )
