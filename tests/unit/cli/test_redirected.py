"""A server that points elsewhere gets no token delivered there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tallystick.cli.server import opened, post
from tallystick.model.errors import TallystickError


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_token_goes_to_nobody_whom_the_server_names() -> None:
    heard: list[str | None] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers["Authorization"])

        do_POST = do_GET

    with listening(Elsewhere) as elsewhere:

        class Pointing(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(302)
                self.send_header("Location", elsewhere)
                self.end_headers()

            do_POST = do_GET

        with listening(Pointing) as server:
            with pytest.raises(TallystickError, match="302"), opened(server, "/", "secret"):
                pass
            with pytest.raises(TallystickError, match="302"):
                post(server, "/api/events", {}, "secret")
    assert heard == []
