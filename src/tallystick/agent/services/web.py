"""HTTP within bounds: one request, its answer within a time and a number of bytes.

Python's own client knows no limit for an exchange as a whole (a server that sends a byte now and then holds it up for
ever), and to load it costs the agent a tenth of its memory.
"""

from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.stream import Stream, trusting
from tallystick.model.address import Address
from tallystick.version import __version__

_HEAD_BYTES_MAX = 1 << 16


class Answer(NamedTuple):
    """What came back.

    Parameters
    ----------
    status
        200 and so on.
    headers
        By their names in lower case; of one that is there twice the last.
    body
        Without its chunks.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def text(self) -> str:
        """The body as UTF-8; what is none becomes a sign that stands for it."""
        return self.body.decode("utf-8", "replace")


def check_url(url: str) -> None:
    """Check a URL of the config.

    Raises
    ------
    ValueError
        If nothing can be asked there.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.fragment:
        raise ValueError(f"{url!r} cannot be asked; expected http://host:port/path without user and fragment")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"{url!r} has characters that no URL has; expected them escaped by %")
    _ = parts.port  # raises for what is none


def ask(
    url: str,
    limit_s: float,
    bytes_max: int = 4 << 20,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    user: str = "",
    password: str = "",
    ca_file: str = "",
) -> Answer:
    """GET a URL, or POST a body to it; redirects are not followed, nor a proxy of the environment.

    Parameters
    ----------
    limit_s
        Seconds for all of it.
    bytes_max
        Of the answer, with its head.
    user, password
        Sent as basic authentication.
    ca_file
        Certificates that an https server's is checked with; empty for the system's.

    Raises
    ------
    ServiceError
        If there is no whole answer, or its status is not 200.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    address = Address("tcp", parts.hostname or "", parts.port or (443 if secure else 80))
    sent = {"Host": parts.netloc, "User-Agent": f"tallystick/{__version__}", "Connection": "close", **(headers or {})}
    if user:
        sent["Authorization"] = "Basic " + b64encode(f"{user}:{password}".encode()).decode()
    if body:
        sent["Content-Length"] = str(len(body))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = f"{'POST' if body else 'GET'} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in sent.items())
    with Stream(address, limit_s, bytes_max) as stream:
        if secure:
            stream.secure(trusting(ca_file))
        stream.send(head.encode() + b"\r\n" + body)
        answer = read_answer(stream, bytes_max)
    if answer.status != HTTPStatus.OK:
        raise ServiceError(f"cannot ask {url}: it answers {answer.status}; expected 200")
    return answer


def read_answer(stream: Stream, bytes_max: int) -> Answer:
    """What comes back for a request, whatever its status.

    Raises
    ------
    ServiceError
        If it is no whole answer of HTTP/1.1.
    """
    lines = stream.until(b"\r\n\r\n", _HEAD_BYTES_MAX).decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise ServiceError(f"cannot read {stream.address}: it speaks no HTTP; expected a server of HTTP/1.1")
    pairs = (line.partition(":") for line in lines[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = _chunks(stream)
    elif length := headers.get("content-length", ""):
        body = stream.exactly(_size(length, 10, stream))
    else:
        body = stream.rest()
    return Answer(int(rest[:3]), headers, body)


def _chunks(stream: Stream) -> bytes:
    body = bytearray()
    while size := _size(stream.line().partition(b";")[0].decode("latin-1"), 16, stream):
        body += stream.exactly(size)
        stream.line()
    return bytes(body)


def _size(text: str, base: int, stream: Stream) -> int:
    try:
        size = int(text.strip(), base)
    except ValueError:
        size = -1
    if size < 0:
        raise ServiceError(f"cannot read {stream.address}: {text[:20]!r} is no size; expected a number of bytes")
    return size
