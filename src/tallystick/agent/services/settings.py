"""What the settings of services have in common."""

from collections.abc import Mapping
from typing import Annotated

from tallystick.agent.services import web
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.secret import password
from tallystick.agent.services.stream import Stream, trusting
from tallystick.config.table import Table, key
from tallystick.model.address import Address

_SCHEMES = ("tcp", "unix")


class ServiceSettings(Table, frozen=True):
    """A service that may want to know who asks."""

    password_file: Annotated[str, key("A file with the password; read at each look.")] = ""
    password_env: Annotated[str, key("Or a variable of the agent's environment that has it.")] = ""

    @property
    def password(self) -> str:
        """From the file or the environment; empty for none."""
        return password(self.password_file, self.password_env)


class WebSettings(ServiceSettings, frozen=True):
    """A service that is asked over HTTP."""

    user: Annotated[str, key("Sent with the password (basic authentication).")] = ""
    ca_file: Annotated[str, key("Certificates that an https server's is checked with; empty for the system's.")] = ""

    def ask(
        self,
        url: str,
        limit_s: float,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        bytes_max: int = 4 << 20,
    ) -> web.Answer:
        """One request."""
        return web.ask(
            url,
            limit_s,
            bytes_max,
            body=body,
            headers=headers,
            user=self.user,
            password=self.password,
            ca_file=self.ca_file,
        )


def socket_address(text: str) -> None:
    """Check an address of the config.

    Raises
    ------
    ValueError
        If it is none of a stream.
    """
    Address.parse(text, _SCHEMES)


SocketAddress = Annotated[str, key("unix:///path or tcp://host:port.", socket_address)]


class SocketSettings(ServiceSettings, frozen=True):
    """A service that is asked over a socket: a database, a cache."""

    address: SocketAddress = ""
    user: Annotated[str, key("Who asks; empty for whoever needs no name.")] = ""
    tls: Annotated[bool, key("Whether it is asked over TLS; its certificate is checked.")] = False
    ca_file: Annotated[str, key("Certificates that its own is checked with; empty for the system's.")] = ""

    def opened(self, limit_s: float) -> Stream:
        """A connection for so long, in the clear: for protocols that say themselves when they begin to encrypt."""
        return Stream(Address.parse(self.address, _SCHEMES), limit_s)

    def connected(self, limit_s: float) -> Stream:
        """A connection for so long, encrypted if it is to be."""
        stream = self.opened(limit_s)
        if self.tls:
            try:
                stream.secure(trusting(self.ca_file))
            except ServiceError:
                stream.close()
                raise
        return stream
