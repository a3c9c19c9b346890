"""Finding services on this host by what runs, and by what their own configuration says of them.

Each that runs is found, and found once. It is called by what stays when it is started anew: nothing if it is where its
kind usually is, else its port (`by_port`) or its path (`by_path`); what else runs beside it has no say in that.

Nobody is asked who does not seem to be what we look for, and whoever does not answer as one is asked a few times only,
until he or the agent is started anew (`Surroundings.worth_trying`): a service writes into its log who was refused.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from tallystick.agent.collecting.collector import Collector, Found
from tallystick.agent.host import Host, Process, Surroundings
from tallystick.config.table import Table
from tallystick.native.names import component

S = TypeVar("S", bound=Table)

LIMIT_S = 1.0
"""So long what is tried may take."""
_FILES_MAX = 500
_FILE_BYTES_MAX = 1 << 20
_DEPTH_MAX = 5


class Candidate(NamedTuple):
    """What may be a service.

    Parameters
    ----------
    who
        Number of its process or of its socket: another one if it is started anew. There may be several candidates of
        one, of which the first that answers is taken.
    place
        Where it would be asked, an address or a URL.
    instance
        What it would be called.
    """

    who: int
    place: str
    instance: str = ""


def answering(
    looks: type[Collector[S]], around: Surroundings, candidates: Iterable[Candidate], settings: Callable[[str], S]
) -> Iterator[Found[S]]:
    """Those that answer as they should; each once, and none of them at the cost of another.

    Parameters
    ----------
    looks
        The collector that asks.
    settings
        What it needs to ask at a place.
    """
    known: set[int | str] = set()
    for who, place, instance in candidates:
        if who in known or place in known or not around.worth_trying(looks, who, place):
            continue
        if works(looks(settings(place), around.host)):
            known |= {who, place}
            yield Found(settings(place), instance, f"it answers at {place}")


def near(host: str, port: str) -> tuple[str, ...]:
    """Where somebody is asked who listens to a port at an address of this machine: ``10.0.0.5:80``, and at loopback."""
    here, host = f"127.0.0.1:{port}", host.strip("[]")
    try:
        address = ip_address(host)
    except ValueError:  # a name, a star, nothing
        return (here,)
    told = f"[{host}]:{port}" if address.version == 6 else f"{host}:{port}"
    if address.is_unspecified:
        return (here,)
    return (told,) if address.is_loopback else (told, here)


def by_port(port: str, usual: str) -> str:
    """What a service is called that listens to a port."""
    return "" if port == usual else port


def by_path(path: str, *usual: str) -> str:
    """What a service is called that has a socket or a configuration of its own: ``srv-shop-mysql``."""
    return "" if path in usual else component(str(Path(path).with_suffix("")))


def works(collector: Collector[Any]) -> bool:
    """Whether a look gives anything."""
    collector.limit_s = LIMIT_S
    try:
        return any(True for _ in collector.collect(0.0))
    except Exception:  # whatever it is, it is not what we look for, or does not want us
        return False


def option(process: Process, *names: str) -> str:
    """The value of an option that a process was started with, as ``-p 80``, ``-p80``, ``--port=80``."""
    words = process.arguments if len(process.arguments) > 1 else process.arguments[0].split()  # of a title
    for at, word in enumerate(words):
        for name in names:
            if word == name:
                return words[at + 1] if at + 1 < len(words) else ""
            if word.startswith(f"{name}="):
                return word[len(name) + 1 :]
            if len(name) == 2 and word.startswith(name) and not word.startswith("--"):
                return word[2:]
    return ""


def configured(host: Host, files: Iterable[str], include: re.Pattern[str], below: str = "/") -> str:
    """The text of configuration files and of those that they include, without comments, as far as it may be read.

    Parameters
    ----------
    files
        Paths and globs.
    include
        Finds directives that name further ones.
    below
        The directory that relative paths are meant from.
    """
    return "\n".join(islice(_texts(host, files, include, below, 0), _FILES_MAX))


def _texts(host: Host, files: Iterable[str], include: re.Pattern[str], below: str, depth: int) -> Iterator[str]:
    for name in files:
        pattern = host.path(str(Path(below, name.strip("\"'"))))
        found = sorted(islice(Path("/").glob(pattern.lstrip("/")), _FILES_MAX))
        for path in (file for entry in found for file in (sorted(entry.iterdir()) if entry.is_dir() else [entry])):
            text = re.sub(r"(?m)(^|\s)#.*$", "", _text(path))
            yield text
            if depth < _DEPTH_MAX:
                yield from _texts(host, include.findall(text), include, below, depth + 1)


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(_FILE_BYTES_MAX)
    except OSError:
        return ""
