"""What ``tallystick agent test`` finds out: whether all that a config names can be looked at, bound and reached."""

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tallystick.agent.collecting.configured import runner_for
from tallystick.agent.delivery import greeting_of, probe
from tallystick.agent.doors.sockets import open_socket
from tallystick.agent.place import agent_word, prefix_of
from tallystick.agent.program import doors_of
from tallystick.config import Config
from tallystick.config.doors import DEFAULT_DOORS
from tallystick.model.clock import Clock
from tallystick.model.errors import TallystickError
from tallystick.model.point import Point
from tallystick.sockets import connect

_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one thing that was tried.

    Parameters
    ----------
    what
        ``collector``, ``door``, ``server``, ``spool`` ...
    name
        Which of them.
    found
        What it gave, or why it cannot be used.
    """

    what: str
    name: str
    is_good: bool
    found: str


def trials(config: Config, clock: Clock, pause: Callable[[float], object]) -> Iterator[Trial]:
    """Try everything, one after the other, as it is asked for.

    Parameters
    ----------
    pause
        Waits for the seconds that it is given; ``time.sleep``.

    Raises
    ------
    ConfigError
        If the config names collectors that there are not, or keys that they have not.
    """
    yield from _collectors(config, clock, pause)
    yield from _doors(config)
    yield from _logs(config)
    yield _spool(config)
    yield from _servers(config)
    yield from _repeats(config)


def _collectors(config: Config, clock: Clock, pause: Callable[[float], object]) -> Iterator[Trial]:
    """Look twice at everything that is configured or found: rates are there at the second look."""
    prefix, came = prefix_of(config.agent), Counter[str]()

    def count(points: list[Point], timestamp_s: int) -> None:
        names = [job.name for job in runner.jobs]
        for point in points:
            below = point.name.removeprefix(prefix)
            came[max((name for name in names if below.startswith(f"{name}.")), key=len)] += 1

    runner = runner_for(config, clock, count, discover=config.agent.discover)
    runner.look_at_everything()
    came.clear()
    pause(_PAUSE_S)
    runner.look_at_everything()
    runner.stop()
    for job in sorted(runner.jobs, key=lambda job: job.name):
        cause = runner.causes.get(job.name, "")
        yield Trial("collector", job.name, not cause, cause or _told(came[job.name], job.interval_s))


def _told(numbers: int, interval_s: float) -> str:
    if not numbers:
        return "nothing of that here"
    return f"{numbers} number{'s' if numbers > 1 else ''}, every {interval_s:g} s"


def _doors(config: Config) -> Iterator[Trial]:
    for door in config.agent.doors:
        what = f"{door.protocol} door"
        if door not in doors_of(config):
            yield Trial(what, door.address, True, "left out: a server is expected there")
            continue
        try:
            open_socket(door.endpoint, door.mode).close()
            if door.endpoint.local:
                Path(door.endpoint.path).unlink(missing_ok=True)
        except TallystickError as error:
            if config.agent.doors == DEFAULT_DOORS:  # nobody asked for it
                yield Trial(what, door.address, True, f"left out: {error}")
            else:
                yield Trial(what, door.address, False, str(error))
        else:
            yield Trial(what, door.address, True, "can be bound")


def _logs(config: Config) -> Iterator[Trial]:
    for log in config.logs:
        pattern = Path(log.path).expanduser()
        found = list(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
        unreadable = [path for path in found if not os.access(path, os.R_OK)]
        if unreadable:
            yield Trial("log", log.path, False, f"{unreadable[0]} cannot be read by this user")
        else:
            yield Trial("log", log.path, True, f"{len(found)} files" if found else "not there yet")


def _spool(config: Config) -> Trial:
    """Whether what waits can be written; nothing is left there."""
    directory = config.agent.spool_path()
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    try:
        trial = existing / f".tallystick-{os.getpid()}"
        trial.write_bytes(b"")
        trial.unlink()
    except OSError as error:
        return Trial("spool", str(directory), False, f"cannot write to {existing}: {error.strerror}")
    files = os.statvfs(existing)
    free_mib = files.f_bavail * files.f_frsize >> 20
    allowed_mib = config.agent.spool_bytes_max >> 20
    return Trial("spool", str(directory), True, f"up to {allowed_mib} MiB; {free_mib} MiB are free")


def _servers(config: Config) -> Iterator[Trial]:
    try:
        greeting = greeting_of(config.agent, agent_word(config.agent))
    except TallystickError as error:
        yield Trial("server", ", ".join(config.agent.servers), False, str(error))
        return
    for server in config.agent.endpoints:
        began_s = time.perf_counter()
        try:
            probe(server, greeting)
        except (OSError, ValueError) as error:
            yield Trial("server", str(server), False, str(error))
        else:
            waited_ms = 1000 * (time.perf_counter() - began_s)
            yield Trial("server", str(server), True, f"welcomed us after {waited_ms:.0f} ms")


def _repeats(config: Config) -> Iterator[Trial]:
    for repeat in config.agent.repeats:
        address, cause = repeat.endpoint, ""
        if not address.datagrams:
            try:
                with contextlib.closing(connect(address, 5.0)):
                    pass
            except OSError as error:
                cause = str(error)
        yield Trial(f"{repeat.protocol} repeat", repeat.address, not cause, cause or "can be sent to")
