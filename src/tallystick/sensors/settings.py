"""`Settings`: what the environment of a process says about its sensors."""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.model.address import SERVER_SCHEMES, Address
from tallystick.native.names import Place, here

DEFAULT_SERVER = "tcp://127.0.0.1:8120"
DEFAULT_STATSD = "udp://127.0.0.1:8125"
_NOWHERE = ("none", "off")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the numbers of a process go, and what they are called.

    Parameters
    ----------
    place
        Of the process among all that report.
    server
        The agent's native door or a server's; None if nothing is to be sent.
    statsd
        Where events are told.
    token
        For a server that asks for one.
    collect
        Patterns of names that are sent although they are tagged with ``collect=False``.
    runtime
        Whether the process reports of itself as well.
    """

    place: Place
    server: Address | None
    statsd: Address | None = None
    token: str = ""
    collect: tuple[str, ...] = ()
    runtime: bool = True


def from_environment(environ: Mapping[str, str], program: str, **said: str) -> Settings:
    """Settings of a process.

    Parameters
    ----------
    environ
        ``TALLYSTICK_AGENT``, ``_AGENT_TOKEN``, ``_APP``, ``_ENVIRONMENT``, ``_CLASS``, ``_HOST``, ``_VERSION``,
        ``_COLLECT``, ``_RUNTIME`` and ``_STATSD``.
    program
        What the program is called if the environment does not say it.
    said
        What the program says itself, which counts first: ``app``, ``environment``, ``version`` and ``server``.

    Raises
    ------
    ValueError
        If an address is none.
    """
    place = here(
        environ,
        app=said.get("app") or environ.get("TALLYSTICK_APP") or program,
        environment=said.get("environment", ""),
        version=said.get("version", ""),
    )
    return Settings(
        place,
        _address(said.get("server") or _server(environ), SERVER_SCHEMES),
        _address(environ.get("TALLYSTICK_STATSD") or DEFAULT_STATSD, ("udp",)),
        environ.get("TALLYSTICK_AGENT_TOKEN", ""),
        tuple(environ.get("TALLYSTICK_COLLECT", "").replace(",", " ").split()),
        environ.get("TALLYSTICK_RUNTIME", "").lower() not in _NOWHERE,
    )


def _server(environ: Mapping[str, str]) -> str:
    agent, server = environ.get("TALLYSTICK_AGENT", ""), environ.get("TALLYSTICK_SERVER", "")
    # The latter is also where those ask who read numbers: an address of HTTP is theirs.
    return agent or (server if server and not server.startswith(("http://", "https://")) else DEFAULT_SERVER)


def _address(text: str, schemes: tuple[str, ...]) -> Address | None:
    return None if text in _NOWHERE else Address.parse(text, schemes)
