"""Finding services on this host by what runs, and by what their own configuration says of them.

Nobody is asked who does not seem to be what we look for, and whoever does not answer as one is asked a few times only,
until he or the agent is started anew (`Surroundings.worth_trying`): a service writes into its log who was refused.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tallystick.agent.collector import Collector
from tallystick.agent.host import Host
from tallystick.agent.surroundings import Process

LIMIT_S = 1.0
"""So long what is tried may take."""
_FILES_MAX = 500
_FILE_BYTES_MAX = 1 << 20
_DEPTH_MAX = 5


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
