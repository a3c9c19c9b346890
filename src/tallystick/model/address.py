"""Addresses as people spell them: ``tcp://127.0.0.1:2003``, ``udp://[::1]:8125``, ``unix:///run/tallystick.sock``."""

import ipaddress
from dataclasses import dataclass

SCHEMES = ("tcp", "udp", "unix", "unixgram", "unixstream")
SERVER_SCHEMES = ("tcp", "tls", "unix")
"""Where a server of the native protocol is reached."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a socket is bound or connected to.

    Parameters
    ----------
    scheme
        One of `SCHEMES` or `SERVER_SCHEMES`; ``unix`` is a stream, and so is ``unixstream``.
    host
        Name or address, without the brackets of IPv6; empty for files.
    port
        0 to 65535, 0 lets the system choose; 0 for files.
    path
        Of the socket's file, else empty.
    """

    scheme: str
    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, text: str, schemes: tuple[str, ...] = SCHEMES) -> "Address":
        """Read an address with its scheme.

        Raises
        ------
        ValueError
            If `text` is no such address; the text says what is wrong and what is expected.
        """
        scheme, separator, rest = text.partition("://")
        expected = " or ".join(f"{s}:///path" if s.startswith("unix") else f"{s}://host:port" for s in schemes)
        if not separator:
            raise ValueError(f"{text!r} names no scheme; expected {expected}")
        if scheme not in schemes:
            raise ValueError(f"{scheme!r} is no scheme that can be used here; expected {expected}")
        if scheme.startswith("unix"):
            if not rest.startswith("/"):
                raise ValueError(f"{text!r} has no absolute path; expected {scheme}:///path")
            return cls(scheme, path=rest)
        host, port = host_port(rest)
        return cls(scheme, host, port)

    @property
    def local(self) -> bool:
        """Whether it is a file's."""
        return self.scheme.startswith("unix")

    @property
    def datagrams(self) -> bool:
        """Whether messages come one by one and not as a stream."""
        return self.scheme in ("udp", "unixgram")

    @property
    def loopback(self) -> bool:
        """Whether only programs of this machine can reach it."""
        return self.local or is_loopback(self.host)

    def __str__(self) -> str:
        if self.local:
            return f"{self.scheme}://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Group:
    """A multicast group that a socket joins.

    Parameters
    ----------
    address
        An IPv4 or IPv6 address of those set aside for groups.
    interface
        Name or, of IPv4, address of the interface to join on; empty for what the system's routes say.
    """

    address: str
    interface: str = ""

    @classmethod
    def parse(cls, text: str) -> "Group":
        """Read ``239.2.11.71``, ``239.2.11.71%eth0`` or ``ff18::efc0:4a42%eth0``.

        Raises
        ------
        ValueError
            If `text` is no such group; the text says what is wrong and what is expected.
        """
        address, percent, interface = text.partition("%")
        if not is_group(address) or (percent and not interface):
            raise ValueError(f"{text!r} is no multicast group; expected one such as 239.2.11.71 or 239.2.11.71%eth0")
        return cls(address, interface)

    @property
    def version(self) -> int:
        """4 or 6."""
        return ipaddress.ip_address(self.address).version


def is_group(host: str) -> bool:
    """Whether `host` is the address of a multicast group."""
    try:
        return ipaddress.ip_address(host).is_multicast
    except ValueError:
        return False


def is_everywhere(host: str) -> bool:
    """Whether a socket bound to `host` is reached by all addresses of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def host_port(text: str) -> tuple[str, int]:
    """Host and port of ``127.0.0.1:8080``, ``[::1]:8080`` or ``name:8080``.

    Raises
    ------
    ValueError
        If one of them is missing or the port is not 0 to 65535.
    """
    host, colon, port_text = text.rpartition(":")
    if not colon or not host or (":" in host and not host.startswith("[")):
        raise ValueError(f"{text!r} lacks a host or a port; expected host:port, with brackets around an IPv6 host")
    if not (port_text.isascii() and port_text.isdigit()):
        raise ValueError(f"port {port_text!r} is no number; expected host:port")
    port = int(port_text)
    if port > 65535:
        raise ValueError(f"port {port} is out of range; expected 0 to 65535")
    return host.strip("[]"), port


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine as only itself sees it."""
    return host in {"localhost", "::1"} or host.startswith("127.")
