"""Serves the built pages: a few small files, read once, answered from memory under a strict policy."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

PAGES = Path(__file__).parent / "pages"
"""Where ``npm run build`` in ``web/`` writes."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Files of our own and nothing inline: a name that gets itself interpreted as HTML still runs nothing."""

SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"

# Python's table follows the machine's /etc/mime.types, and a script served as text/plain would not run.
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

_NOT_BUILT = b"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Tallystick</title></head>
<body>
<h1>The pages are not built</h1>
<p>Tallystick is running and takes numbers; only its pages are missing. In the checkout, with Node 20 or later:</p>
<pre>cd web &amp;&amp; npm ci &amp;&amp; npm run build</pre>
<p>Then start Tallystick again. <code>make run</code> does all of it. Meanwhile:
<a href="/healthz">/healthz</a>, <a href="/ledger">/ledger</a>, <a href="/metrics/find?query=*">names</a>.</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Page:
    """A file as it is answered.

    Parameters
    ----------
    body, packed
        The file, and the file by gzip, or None where that would not make it smaller.
    headers
        Of every answer with it.
    """

    body: bytes
    packed: bytes | None
    headers: dict[str, str]

    @property
    def tag(self) -> str:
        """The entity tag, for browsers that ask whether theirs is still good."""
        return self.headers["etag"]

    @classmethod
    def of(cls, path: str, body: bytes) -> "Page":
        """The file `path`, relative to the pages, with these bytes."""
        packed = gzip.compress(body, 9, mtime=0)
        media_type = _TYPES.get(Path(path).suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
        headers = SECURITY_HEADERS | {
            "content-type": media_type,
            # The build writes a hash of the content into the names of its assets; other names stay and change content.
            "cache-control": _FOR_EVER if path.startswith("assets/") else _ASK_EACH_TIME,
            "etag": f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"',
            "vary": "accept-encoding",
        }
        return cls(body, packed if len(packed) < len(body) else None, headers)


def read_pages(directory: Path = PAGES) -> dict[str, Page]:
    """The built pages by their path; empty if they were not built.

    Notes
    -----
    All of it is some 50 kB packed. Requests are looked up in this dictionary and never reach the file system, so that
    no path that a client makes up can lead out of the directory.
    """
    if not (directory / "index.html").is_file():
        return {}
    files = {file.relative_to(directory).as_posix(): file for file in sorted(directory.rglob("*")) if file.is_file()}
    return {path: Page.of(path, file.read_bytes()) for path, file in files.items()}


def page_routes(directory: Path = PAGES) -> list[BaseRoute]:
    """Routes of ``/`` and of every file of the pages; a helpful page at ``/`` if there are none."""
    pages = read_pages(directory)
    if not pages:
        return [Route("/", _not_built)]
    return [_route("/", pages["index.html"]), *(_route(f"/{path}", page) for path, page in pages.items())]


def _route(path: str, page: Page) -> Route:
    async def answer(request: Request) -> Response:
        if page.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=page.headers)
        if page.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(page.packed, headers=page.headers | {"content-encoding": "gzip"})
        return Response(page.body, headers=page.headers)

    return Route(path, answer)


async def _not_built(request: Request) -> Response:
    headers = SECURITY_HEADERS | {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"}
    return Response(_NOT_BUILT, status_code=503, headers=headers)
