"""`RuleKeeper`: has a router follow a file of rules, and the files that rules name, when they change.

A file that is broken is refused whole: what is wrong is told, and the rules of before stay.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.config.rules import Rule
from tallystick.config.rules_file import load_rules
from tallystick.model.clock import Clock
from tallystick.model.errors import ConfigError
from tallystick.route.router import Router

log = logging.getLogger(__name__)

_LOOK_S = 2.0

State = tuple[tuple[str, int, int, int], ...]
"""Of each file its name, number, size and time of change; zeros where there is none."""


@dataclass(frozen=True, slots=True)
class Followed:
    """The rules in force.

    Parameters
    ----------
    since_s
        Epoch seconds at which they came into force.
    inline
        How many of them, the first ones, stand in the config.
    """

    rules: tuple[Rule, ...]
    since_s: float
    inline: int


class RuleKeeper:
    """Looks after the rules of a router; thread-safe.

    Parameters
    ----------
    inline
        Rules of the config, which come first.
    file
        The file of rules; None if there is none.

    Raises
    ------
    ConfigError
        If the file cannot be used.
    """

    def __init__(self, inline: Sequence[Rule], file: Path | None, clock: Clock) -> None:
        self._inline = tuple(inline)
        self.file = file
        self._clock = clock
        self._router: Router | None = None
        self._problems: list[str] = []
        self._wake = threading.Event()
        self._stopping = False
        self._looking = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="rules", daemon=True)
        rules, self._state = self._read()
        self.followed = Followed(rules, clock.now(), len(self._inline))
        """What is in force."""

    def start(self, router: Router) -> None:
        """Look every two seconds, in a thread of its own, until `stop`."""
        self._router = router
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def hurry(self) -> None:
        """Look at once, whatever the files' times say; may be called by the handler of a signal."""
        self._state = ()
        self._wake.set()

    def problems(self) -> list[str]:
        """What is wrong with the files as they are now, a sentence each."""
        return list(self._problems)

    def look(self, router: Router) -> bool:
        """Follow the files if they have changed; returns whether other rules are in force now."""
        with self._looking:
            # What is broken is tried again each time: a file that only the broken one names may have been mended.
            if self._state_of(self.followed.rules) == self._state and not self._problems:
                return False
            try:
                rules, state = self._read()
                router.follow(rules)
            except (ConfigError, ValueError) as error:
                self._refuse(error.problems if isinstance(error, ConfigError) else [str(error)])
                return False
            self._state, self._problems = state, []
            self.followed = Followed(rules, self._clock.now(), len(self._inline))
            log.info("follows %d rules", len(rules))
            return True

    def _refuse(self, causes: list[str]) -> None:
        problems = [f"the rules of before stay in force: {cause}" for cause in causes]
        if problems != self._problems:
            for problem in problems:
                log.error("%s", problem)
        self._problems = problems

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(_LOOK_S)
            self._wake.clear()
            if self._router is not None and not self._stopping:
                self._look_safely(self._router)

    def _look_safely(self, router: Router) -> None:
        try:
            self.look(router)
        except Exception:
            # Whatever happens at one look, the next one is another.
            log.exception("cannot look at the rules")

    def _read(self) -> tuple[tuple[Rule, ...], State]:
        """The rules that the files hold now; their state is taken before, so that no change is missed."""
        of_file = self._state_of(())
        rules = (*self._inline, *(load_rules(self.file) if self.file is not None else ()))
        state = self._state_of(rules)
        return rules, state if state[: len(of_file)] == of_file else ()

    def _state_of(self, rules: Sequence[Rule]) -> State:
        named = [Path(path).expanduser() for rule in rules for path in rule.files]
        return tuple(map(_state, [*([self.file] if self.file is not None else []), *named]))


def _state(path: Path) -> tuple[str, int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, 0, 0
    return str(path), found.st_ino, found.st_size, found.st_mtime_ns
