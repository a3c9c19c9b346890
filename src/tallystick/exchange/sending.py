"""`Sending`: history on its way to a running server."""

from urllib.error import HTTPError
from urllib.request import Request, build_opener

import msgspec

from tallystick.exchange.wire import CONTENT_TYPE, PATH, encode
from tallystick.model.errors import TallystickError
from tallystick.redirects import NoRedirects
from tallystick.store.history import History, Loaded, Overlap

_WAIT_S_MAX = 300


class Sending:
    """Loads history into the store of a server.

    Parameters
    ----------
    server
        Its address, as in ``http://127.0.0.1:8080``.
    token
        If it asks for one.
    """

    def __init__(self, server: str, token: str | None, overlap: Overlap) -> None:
        self._url = f"{server.rstrip('/')}{PATH}?overlap={overlap.value}"
        self._headers = {"Content-Type": CONTENT_TYPE} | ({"Authorization": f"Bearer {token}"} if token else {})

    def load(self, history: History) -> Loaded:
        """Send a piece; what was taken is on the server's disk.

        Raises
        ------
        TallystickError
            If the server cannot be reached or does not take it; the text is its own.
        """
        loaded = Loaded()
        for body, _ in encode(history):
            loaded += self._send(body)
        return loaded

    def _send(self, body: bytes) -> Loaded:
        request = Request(self._url, body, self._headers, method="POST")
        try:
            with build_opener(NoRedirects).open(request, timeout=_WAIT_S_MAX) as answer:
                return msgspec.json.decode(answer.read(), type=Loaded)
        except HTTPError as error:
            raise TallystickError(_told(error)) from error
        except OSError as error:
            reason = getattr(error, "reason", error)
            raise TallystickError(
                f"cannot send history to {self._url}: {reason}; expected a running 'tallystick serve' there"
            ) from error


def _told(error: HTTPError) -> str:
    """The server's own sentence, or what HTTP says."""
    body = error.read(65536).decode(errors="replace").strip()
    try:
        return str(msgspec.json.decode(body)["error"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return body or f"cannot send history: the server answers {error.code} {error.reason}"
