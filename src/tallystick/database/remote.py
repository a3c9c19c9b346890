"""`RemoteDatabase`: a server that is asked over HTTP; numbers come as columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tallystick.database.database import Database
from tallystick.database.http import Fields, Server
from tallystick.database.result import Result
from tallystick.model.extras import needed
from tallystick.model.series import Part, Series


class RemoteDatabase(Database):
    """The store behind a server; each call is a question of its own."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def find(self, pattern: str = "", *, tags: Sequence[str] = ()) -> list[str]:
        if tags:
            return self._names(self._server.json("/tags/findSeries", [("expr", one) for one in tags]))
        if not pattern:
            return self._names(self._server.json("/metrics/index.json", []))
        return self._names(self._field("/metrics/expand", [("query", pattern), ("leavesOnly", "1")], "results"))

    def browse(self, pattern: str = "*") -> list[str]:
        return self._names(self._field("/metrics/expand", [("query", pattern)], "results"))

    def search(self, words: str, limit: int = 50) -> list[str]:
        return self._names(self._field("/api/search", [("q", words), ("limit", str(limit))], "names"))

    def series(self, pattern: str = "", *, tags: Sequence[str] = ()) -> list[Series]:
        found = self._field("/api/series", _selecting(pattern, tags), "series")
        try:
            return [
                Series(
                    str(one["name"]),
                    dict(one["tags"]),
                    str(one["kind"]),
                    tuple((int(step), int(keep)) for step, keep in one["retention"]),
                    None if one["last_seen_s"] is None else int(one["last_seen_s"]),
                )
                for one in found
            ]
        except (TypeError, KeyError, ValueError) as error:
            raise self._server.unusable("a series lacks what belongs to it") from error

    def refresh(self) -> None:
        """Nothing to do: answers are always fresh."""

    def close(self) -> None:
        """Nothing to do: no connection stays open between questions."""

    def __repr__(self) -> str:
        return f"<Database at {self._server.url}>"

    def _query(
        self,
        targets: list[str],
        start: str,
        until: str,
        step_s: int | None,
        slots_max: int | None,
        statistics: list[str],
        zone: str,
    ) -> Result:
        with needed("read columns", "pandas"):
            from tallystick.database.arrow import MEDIA_TYPE, read_result
        fields = [("target", one) for one in targets] + [("statistics", one) for one in statistics]
        fields += [("from", start), ("until", until), ("tz", zone)]
        fields += [(key, str(value)) for key, value in (("step", step_s), ("points", slots_max)) if value]
        with self._server.answer("/api/query", fields, MEDIA_TYPE) as body:
            return read_result(self._server, body)

    def _parts(self, pattern: str, tags: list[str], start: str, until: str, zone: str) -> list[Part]:
        fields = [*_selecting(pattern, tags), ("from", start), ("until", until), ("tz", zone)]
        found = self._field("/api/parts", fields, "parts")
        try:
            return [Part(*(int(one[key]) for key in ("start_s", "until_s", "step_s", "keep_s"))) for one in found]
        except (TypeError, KeyError, ValueError) as error:
            raise self._server.unusable("a part lacks what belongs to it") from error

    def _field(self, path: str, fields: Fields, key: str) -> Any:
        answer = self._server.json(path, fields)
        if not isinstance(answer, dict) or key not in answer:
            raise self._server.unusable(f"its {path} has no {key!r}")
        return answer[key]

    def _names(self, answer: Any) -> list[str]:
        if not isinstance(answer, list) or not all(isinstance(one, str) for one in answer):
            raise self._server.unusable("it gives no list of names")
        return answer


def _selecting(pattern: str, tags: Sequence[str]) -> Fields:
    return [*([("query", pattern)] if pattern else []), *(("expr", one) for one in tags)]
