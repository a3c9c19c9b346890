"""Scraping: a GET of a target's ``/metrics``, as Prometheus does it, and the series that it makes of each scrape.

The labels ``job`` and ``instance`` (the host and port that was asked) are put to each series. ``up``,
``scrape_duration_seconds`` and ``scrape_samples_scraped`` tell of each scrape. A target that is gone leaves a gap, and
``up`` is 0; there are no markers of staleness, as queries here do not look back.

httpx2 asks: it is kept by those who keep Starlette, streams what it receives (so that limits hold while it comes), and
follows no redirect and no proxy of the environment by itself. Redirects to another place than the target are refused.
"""

import ssl
import zlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import httpx2

from tallystick.config import Poll
from tallystick.kernels.labels import tags_of
from tallystick.ledger import Account
from tallystick.model.point import Point
from tallystick.model.reason import Reason
from tallystick.parse import padded
from tallystick.parse.exposition import ExpositionParser, OpenMetricsParser
from tallystick.receive.intake import Intake
from tallystick.receive.polls.exchange import Answer, Exchange, PollError
from tallystick.version import __version__

_ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
_REDIRECTS_MAX = 3
_PIECE_BYTES = 1 << 20
"""So much is parsed at a time: the lock of the names is everybody's."""
_INFLATED_BYTES = 1 << 16


def exchange(poll: Poll) -> Exchange:
    """The exchange with a target."""
    return PrometheusExchange(poll)


class PrometheusExchange(Exchange):
    """A target, and the connection to it that is kept between scrapes."""

    def __init__(self, poll: Poll) -> None:
        super().__init__(poll)
        self._url = httpx2.URL(poll.address)
        labels = {"instance": _place(self._url), "job": poll.job or "prometheus", **poll.labels}
        self._text, self._open_metrics = ExpositionParser(labels=labels), OpenMetricsParser(labels=labels)
        self._parser: ExpositionParser = self._text
        self._tags = tags_of(dict(sorted(labels.items()))).decode()
        self._client: httpx2.AsyncClient | None = None

    async def ask(self, answer: Answer) -> None:
        client, url = self._connected(), self._url
        try:
            for _ in range(_REDIRECTS_MAX + 1):
                async with client.stream("GET", url, headers=self._headers()) as response:
                    if response.is_redirect:
                        url = self._redirected(url, response)
                        continue
                    await self._take(response, answer)
                    return
        except httpx2.HTTPError as error:
            cause = str(error) or type(error).__name__
            raise PollError(Reason.TRUNCATED, f"{cause}; expected an answer to GET {url}") from error
        raise PollError(
            Reason.FRAME, f"it redirected {_REDIRECTS_MAX + 1} times; expected an answer to GET {self._url}"
        )

    def deliver(self, intake: Intake, account: Account, answer: bytes, now_ms: int) -> int:
        taken, at, skipping = 0, 0, False
        while True:
            piece = answer[at : at + _PIECE_BYTES]
            final = at + len(piece) == len(answer)
            parsed, _ = intake.parse_stream(
                self._parser, padded(piece), len(piece), account, skipping=skipping, final=final
            )
            taken, at, skipping = taken + parsed.taken, at + parsed.consumed, parsed.skipping
            if final:
                intake.meanings.look(self._parser.protocol, memoryview(answer))
                return taken

    def told(self, up: bool, duration_s: float, samples: int) -> list[Point]:
        return [
            Point(f"up{self._tags}", float(up)),
            Point(f"scrape_duration_seconds{self._tags}", duration_s),
            Point(f"scrape_samples_scraped{self._tags}", float(samples)),
        ]

    def _connected(self) -> httpx2.AsyncClient:
        """The client, made at the first scrape: certificates that cannot be read are the target's problem, not ours."""
        if self._client is None:
            trusted = self._trusted() if self._url.scheme == "https" else False
            self._client = httpx2.AsyncClient(verify=trusted, timeout=None, trust_env=False, follow_redirects=False)
            self.kept.push_async_callback(self._client.aclose)
        return self._client

    def _trusted(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.poll.ca_file or None)
        except OSError as error:
            cause = error.strerror or str(error)
            raise PollError(Reason.TRUNCATED, f"cannot read ca_file: {cause}; expected certificates") from error

    def _headers(self) -> dict[str, str]:
        headers = {
            "accept": _ACCEPT,
            "accept-encoding": "gzip",
            "user-agent": f"tallystick/{__version__}",
            "x-prometheus-scrape-timeout-seconds": str(self.poll.limit_s),
        }
        if self.poll.token_file:
            headers["authorization"] = f"Bearer {_secret(self.poll.token_file)}"
        elif self.poll.user:
            pair = f"{self.poll.user}:{_secret(self.poll.password_file)}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return headers

    def _redirected(self, url: httpx2.URL, response: httpx2.Response) -> httpx2.URL:
        """Where the answer is instead, if that is the same server: nobody else is to be asked, or told our token."""
        found = url.join(response.headers.get("location", ""))
        if (found.scheme, _place(found)) != (self._url.scheme, _place(self._url)):
            raise PollError(
                Reason.FRAME, f"it redirects to {found}; expected an answer from {_place(self._url)} itself"
            )
        return found

    async def _take(self, response: httpx2.Response, answer: Answer) -> None:
        if response.status_code != 200:
            raise PollError(
                Reason.FRAME, f"it answers {response.status_code} {response.reason_phrase}; expected 200 OK"
            )
        form = response.headers.get("content-type", "text/plain").partition(";")[0].strip().lower()
        if form in ("text/html", "application/vnd.google.protobuf"):
            raise PollError(Reason.FRAME, f"it answers with {form}; expected Prometheus' text or OpenMetrics")
        self._parser = self._open_metrics if form == "application/openmetrics-text" else self._text
        coding = response.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", "gzip", "x-gzip"):
            raise PollError(Reason.ENCODING, f"it is encoded by {coding}; expected gzip or nothing")
        inflater = _Inflater() if coding != "identity" else None
        async for piece in response.aiter_raw():
            for part in inflater.parts(piece) if inflater else (piece,):
                answer.say(part)
        if inflater and not inflater.ended:
            raise PollError(Reason.TRUNCATED, "its gzip has no end; expected a whole answer")


class _Inflater:
    """gzip, a little at a time: what a few bytes become is looked at before more is made of them."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(31)

    @property
    def ended(self) -> bool:
        """Whether the end of the stream was seen."""
        return self._stream.eof

    def parts(self, data: bytes) -> Iterator[bytes]:
        while data:
            try:
                yield self._stream.decompress(data, _INFLATED_BYTES)
            except zlib.error as error:
                raise PollError(Reason.ENCODING, f"it cannot be decompressed: {error}; expected gzip") from None
            data = self._stream.unconsumed_tail


def _place(url: httpx2.URL) -> str:
    """Host and port."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{host}:{url.port or (443 if url.scheme == 'https' else 80)}"


def _secret(file: str) -> str:
    """What a file holds, which may change between two scrapes."""
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PollError(Reason.TRUNCATED, f"cannot read {file}: {error}; expected a secret") from error
