"""Scraping: what a target of Prometheus gives, and what one does that is broken, hostile or not there."""

import asyncio
import gzip
import ssl
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from asking import Asked, Serve
from certificates import self_signed
from tallystick.config import Poll
from tallystick.model.kind import Kind
from tallystick.receive.polls import Poller

TEXT = b'# TYPE hits_total counter\nhits_total{code="200"} 17\n# TYPE load gauge\nload 0.5 1700000000000\nbad\n'


@pytest.fixture
def asked() -> Asked:
    return Asked()


class Target:
    """Answers every request alike, or by its path, and remembers what was asked."""

    def __init__(self, body: bytes = TEXT, status: str = "200 OK", **headers: str) -> None:
        self.answers = {"/metrics": (status, headers, body)}
        self.requests: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await self._head(reader):
            self.requests.append(head)
            status, headers, body = self.answers[head.split()[1]]
            lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
            lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        writer.close()

    @staticmethod
    async def _head(reader: asyncio.StreamReader) -> str:
        try:
            return (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return ""


def scrape(asked: Asked, target: Serve, times: int = 1, **keys: object) -> Poller:
    return asked.times(times, target, protocol="prometheus", address="http://127.0.0.1:{port}/metrics", **keys)


def test_a_text_becomes_series_with_job_and_instance(asked: Asked) -> None:
    target = Target()
    poller = scrape(asked, target, times=2, job="web", labels={"rack": "a1"})
    place = poller.targets[0].poll.address.split("/")[2]
    tags = f";instance={place};job=web;rack=a1"
    kinds = {name: kind for name, kind in asked.kinds("").items() if not name.startswith("tallystick.")}
    assert kinds == {
        f"hits_total;code=200{tags}": Kind.CUMULATIVE,
        f"load{tags}": Kind.GAUGE,
        f"up{tags}": Kind.GAUGE,
        f"scrape_duration_seconds{tags}": Kind.GAUGE,
        f"scrape_samples_scraped{tags}": Kind.GAUGE,
    }
    assert (asked.balance.received, asked.balance.stored) == (6, 4)
    assert sum(asked.balance.rejected.values()) == 2
    assert len(target.requests) == 2
    assert "accept: application/openmetrics-text" in target.requests[0]


def test_openmetrics_is_told_by_its_type(asked: Asked) -> None:
    scrape(asked, Target(b"load 0.5 1700000000.5\n# EOF\n", content_type="application/openmetrics-text; version=1.0.0"))
    assert (asked.balance.stored, asked.balance.rejected) == (1, {})


def test_a_text_of_many_pieces_is_read_whole(asked: Asked) -> None:
    body = b"".join(b'disk{device="sd%d"} %d\n' % (k, k) for k in range(80_000))
    scrape(asked, Target(body))
    assert len(body) > 1 << 20
    assert (asked.balance.stored, asked.balance.received_bytes) == (80_000, len(body))


def test_gzip_is_understood(asked: Asked) -> None:
    scrape(asked, Target(gzip.compress(TEXT), content_encoding="gzip"))
    assert asked.balance.stored == 2


def test_a_bomb_is_cut_off_at_the_limit(asked: Asked) -> None:
    scrape(asked, Target(gzip.compress(b"#" * 50_000_000), content_encoding="gzip"), answer_bytes_max=1 << 20)
    assert asked.balance.rejected == {"body_long": 1}


@pytest.mark.parametrize(
    ("target", "reason", "cause"),
    [
        (Target(status="500 Oops"), "frame", "it answers 500 Oops; expected 200 OK"),
        (Target(content_type="text/html; charset=utf-8"), "frame", "it answers with text/html"),
        (Target(content_encoding="br"), "encoding", "it is encoded by br"),
        (Target(b"no gzip", content_encoding="gzip"), "encoding", "it cannot be decompressed"),
        (Target(gzip.compress(TEXT)[:-4], content_encoding="gzip"), "truncated", "its gzip has no end"),
        (Target(status="302 Found", location="/metrics"), "frame", "it redirected 4 times"),
        (Target(status="302 Found", location="http://169.254.169.254/"), "frame", "it redirects to http://169.254"),
    ],
)
def test_what_is_no_answer_is_told(asked: Asked, target: Target, reason: str, cause: str) -> None:
    poller = scrape(asked, target)
    assert asked.balance.rejected == {reason: 1}
    assert poller.targets[0].cause.startswith(cause)
    up = next(name for name in asked.names("") if name.startswith("up;"))
    assert asked.last(up) == 0.0


def test_a_redirect_within_the_target_is_followed(asked: Asked) -> None:
    target = Target(b"", status="301 Moved Permanently", location="/federate")
    target.answers["/federate"] = ("200 OK", {}, b"a 1\n")
    scrape(asked, target)
    assert asked.balance.stored == 1


def test_an_answer_without_end_is_cut_off(asked: Asked) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"a 1\n" * 1000)
            await writer.drain()

    scrape(asked, serve, answer_bytes_max=1 << 16)
    assert asked.balance.rejected == {"body_long": 1}


def test_a_target_that_says_nothing_costs_its_time(asked: Asked) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    scrape(asked, serve, timeout_s=1)
    assert asked.balance.rejected == {"truncated": 1}


def test_who_scrapes_shows_his_token_or_password(asked: Asked, tmp_path: Path) -> None:
    secret, target = tmp_path / "secret", Target()
    secret.write_text("s3cret\n")
    scrape(asked, target, token_file=str(secret))
    scrape(asked, target, user="me", password_file=str(secret))
    assert "authorization: Bearer s3cret\r\n" in target.requests[0]
    assert f"authorization: Basic {b64encode(b'me:s3cret').decode()}\r\n" in target.requests[1]
    poller = scrape(asked, target, token_file=str(tmp_path / "gone"))
    assert poller.targets[0].cause.startswith(f"cannot read {tmp_path / 'gone'}")


def test_a_targets_certificate_is_checked(asked: Asked, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, tmp_path / "key.pem")
    causes = asyncio.run(scrape_by_tls(asked, context, [str(certificate), ""]))
    assert causes[0] == ""
    assert "certificate" in causes[1].lower()
    assert asked.balance.stored == 2


async def scrape_by_tls(asked: Asked, context: ssl.SSLContext, ca_files: list[str]) -> list[str]:
    """Why polls failed that trust different certificates."""
    causes = []
    serve: Callable[..., object] = Target()
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        address = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/metrics"
        for ca_file in ca_files:
            poller = Poller(asked.intake, [Poll(protocol="prometheus", address=address, ca_file=ca_file)])
            await poller.poll(poller.targets[0])
            await poller.targets[0].exchange.close()
            causes.append(poller.targets[0].cause)
    return causes
