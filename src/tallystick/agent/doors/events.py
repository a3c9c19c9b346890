"""`Events`: what DogStatsD's senders told, kept on disk until the server has it.

Each is posted to the server, which answers when it is on disk there. What waits is in one file; while that cannot be
written, events wait in memory. An event whose answer was lost with the connection is posted once more, by the same
word, and the server keeps one of each.
"""

import http.client
import json
import logging
import secrets
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tallystick.dogstatsd import event_of
from tallystick.files import Files
from tallystick.model.clock import Clock
from tallystick.sockets import Backoff

log = logging.getLogger(__name__)

FILE_NAME = "events.json"
WAITING_MAX = 1000
"""The oldest are dropped beyond it, and counted."""
_WHAT_CHARS_MAX, _TAGS_MAX = 1024, 64
_TIMEOUT_S = 10.0
_NEVER = (400, 413, 422)
"""Answers that will be the same next time."""


class Told(NamedTuple):
    """An event as the server takes it.

    Parameters
    ----------
    once
        A word by which it is kept once, however often it is posted.
    """

    what: str
    tags: list[str]
    data: str
    when: int
    once: str = ""

    @classmethod
    def of_line(cls, line: bytes, now_s: float) -> "Told | None":
        """The event of a line of DogStatsD's; its host, kind and source are among its tags."""
        event = event_of(line)
        if event is None:
            return None
        tags = list(dict.fromkeys(" ".join(event.all_tags).split()))  # as the server parts them
        when = int(now_s) if event.time_s is None else event.time_s
        return cls(event.title[:_WHAT_CHARS_MAX], tags[:_TAGS_MAX], event.text, when)


class Events:
    """Posts events to a server; `start`, then `stop`.

    Parameters
    ----------
    server
        ``http://host:port`` or ``https://host:port``.
    token
        What it asks for; empty if it does not.
    directory
        Ours; where what waits is kept.
    """

    def __init__(self, server: str, token: str, directory: Path, clock: Clock, files: Files | None = None) -> None:
        self.posted = 0
        self.dropped = 0
        """For want of room, or since the server refused them."""
        self._server = server
        self._token = token
        self._file = directory / FILE_NAME
        self._files = files or Files()
        self._clock = clock
        self._waiting: deque[Told] = deque(self._kept(), WAITING_MAX)
        self._on_disk = len(self._waiting) > 0
        self._changed = threading.Condition()
        self._stopping = False
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    @property
    def waiting(self) -> int:
        """Events that the server does not have."""
        return len(self._waiting)

    def note(self, line: bytes) -> None:
        """Have an event posted soon; never waits."""
        if (told := Told.of_line(line, self._clock.now())) is not None:
            self.tell(told)

    def tell(self, told: Told) -> None:
        """Have something that happened on this host posted soon; never waits."""
        with self._changed:
            self.dropped += len(self._waiting) == WAITING_MAX
            self._waiting.append(_once(told))
            self._changed.notify()

    def start(self) -> None:
        """Begin to post."""
        self._thread.start()

    def stop(self) -> None:
        """Try once more to post what waits; what then waits is on disk."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        backoff = Backoff(0.5)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                stopping = self._stopping
            self._keep()
            if self._post_all():
                backoff.begin_anew()
            elif not stopping:
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, backoff.next_s())
            self._keep()
            if stopping:
                return

    def _post_all(self) -> bool:
        """Post one after the other; False if the server does not take them now."""
        while self._waiting:
            told = self._waiting[0]
            try:
                status, reason = self._post(told)
            except (OSError, http.client.HTTPException) as error:
                self._tell(f"cannot post events to {self._server}: {error}; keeping them and trying again")
                return False
            if status in _NEVER:
                log.warning("cannot post the event %r: %s answers %d %s", told.what[:100], self._server, status, reason)
                self.dropped += 1
            elif not 200 <= status < 300:
                self._tell(f"cannot post events to {self._server}: it answers {status} {reason}; trying again")
                return False
            else:
                self.posted += 1
            self._trouble = ""
            with self._changed:
                if self._waiting and self._waiting[0] is told:
                    self._waiting.popleft()
        return True

    def _post(self, told: Told) -> tuple[int, str]:
        parts = urlsplit(self._server)
        made = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = made(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request("POST", parts.path.rstrip("/") + "/api/events", json.dumps(told._asdict()), headers)
            answer = connection.getresponse()
            return answer.status, answer.reason
        finally:
            connection.close()

    def _keep(self) -> None:
        """Have what waits on disk, in place of what waited before."""
        with self._changed:
            waiting = [told._asdict() for told in self._waiting]
        if not waiting and not self._on_disk:
            return
        try:
            self._files.write_whole(self._file, [json.dumps(waiting).encode()])
            self._on_disk = bool(waiting)
        except OSError as error:
            self._tell(f"cannot write {self._file}: {error.strerror}; events wait in memory")

    def _kept(self) -> list[Told]:
        """What waited when an earlier process ended."""
        try:
            found: list[dict[str, Any]] = json.loads(self._file.read_bytes())
            return list(map(_read, found))
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("cannot read %s: %s; the events in it are lost", self._file, error)
            return []

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:  # once for each time
            self._trouble = trouble
            log.warning("%s", trouble)


def _once(told: Told) -> Told:
    """An event with a word of its own."""
    return told if told.once else told._replace(once=secrets.token_hex(16))


def _read(kept: Mapping[str, Any]) -> Told:
    """An event as it stands in the file; an older agent gave it no word."""
    what, tags, data, when = (kept[key] for key in ("what", "tags", "data", "when"))
    return _once(Told(str(what), list(map(str, tags)), str(data), int(when), str(kept.get("once", ""))))
