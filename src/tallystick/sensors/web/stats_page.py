"""`respond`: all that is answered below ``/stats/``, to whichever framework asks.

The page is one file of HTML with one script and one style sheet of its own, read once and answered from memory: no
path that a client makes up reaches the file system.
"""

import functools
import gzip
import mimetypes
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

from tallystick.sensors.web.stats import Stats

PAGE = Path(__file__).parent / "page"
"""Where ``npm run build`` in ``web/`` writes."""

_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
_NOT_BUILT = b"The page is not built. In the checkout, with Node 20 or later: cd web && npm ci && npm run build\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: status, headers and body."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def respond(stats: Stats, path: str, query: str, *, gzips: bool = False) -> Answer:
    """The answer to a GET.

    Parameters
    ----------
    path
        What stands behind ``/stats/``.
    query
        Of the address, without its question mark.
    gzips
        Whether who asks understands gzip.
    """
    if path == "numbers":
        word = parse_qs(query).get("range", ["day"])[-1]
        status, body = stats.answer(word)
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store", **_SECURITY}
        return _packed(status, body, headers, gzips=gzips)
    files = _files()
    if not files:
        return Answer(503, _NOT_BUILT, {"Content-Type": "text/plain; charset=utf-8", **_SECURITY})
    body = files.get(path or "index.html", b"")
    if not body:
        return Answer(404, b"There is no such page.\n", {"Content-Type": "text/plain; charset=utf-8", **_SECURITY})
    kind = _TYPES.get(Path(path or "index.html").suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    # The build writes a hash of the content into the names of its assets.
    lasting = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
    return _packed(200, body, {"Content-Type": kind, "Cache-Control": lasting, **_SECURITY}, gzips=gzips)


def _packed(status: int, body: bytes, headers: dict[str, str], *, gzips: bool) -> Answer:
    headers["Vary"] = "Accept-Encoding"
    if not gzips or len(body) < 500:
        return Answer(status, body, headers)
    return Answer(status, gzip.compress(body, 6, mtime=0), {**headers, "Content-Encoding": "gzip"})


@functools.cache
def _files() -> dict[str, bytes]:
    """The files of the page by their path; none if it was not built."""
    if not (PAGE / "index.html").is_file():
        return {}
    return {file.relative_to(PAGE).as_posix(): file.read_bytes() for file in PAGE.rglob("*") if file.is_file()}
