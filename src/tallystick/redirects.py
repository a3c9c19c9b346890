"""`NoRedirects`: what is asked of a server, with its token, is for nobody else that it names."""

from typing import Any
from urllib.request import HTTPRedirectHandler


class NoRedirects(HTTPRedirectHandler):
    """A redirect is an answer like others; `urllib` would follow it and take the token along, to whatever host."""

    def redirect_request(self, *args: Any) -> None:
        return None
