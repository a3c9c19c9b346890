r"""Prometheus' text format and OpenMetrics, in plain Python: lines to points, a line that is none costs itself.

Names and kinds are those that the server gives what it scrapes itself: ``http_requests_total{code="200"}`` becomes
``http_requests_total;code=200``, and what only grows (counters; buckets, counts and sums of histograms) is
`CUMULATIVE`, from which rates are made when it is read. Values that are not finite, times and exemplars are left out: a
sample is of the moment of its scrape.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ and the OpenMetrics specification
"""

import math
import re
from collections.abc import Iterator

from tallystick.agent.services.failure import ServiceError
from tallystick.model.kind import Kind
from tallystick.model.point import Point

NAME_BYTES_MAX = 1024

_SPACE = r"[ \t]*+"
_TEXT = r'"(?:[^"\\]++|\\.)*+"'
_KEY = rf"(?:[a-zA-Z_:][a-zA-Z0-9_:]*|{_TEXT})"
_LINE = re.compile(
    rf"([a-zA-Z_:][a-zA-Z0-9_:]*)?{_SPACE}(?:\{{((?:[^\"{{}}]|{_TEXT})*)\}})?"  # metric and labels
    rf"{_SPACE}(\S+)(?:[ \t]+([^\s#]\S*))?{_SPACE}(?:#.*)?"  # value, time, exemplar
)
_PLAIN = re.compile(
    r'(?:(?!name=)[a-zA-Z_]\w*+="[^"\\;~,=\x00-\x20\x7f][^"\\;=\x00-\x20\x7f]*+"(?:,(?!$)|$))++', re.ASCII
)
"""Labels as nearly all are, which become tags by changing their quotes."""
_LABEL = re.compile(rf"{_SPACE}({_KEY}){_SPACE}(?:={_SPACE}({_TEXT}){_SPACE})?(?:,|$)")
_HELP = re.compile(rf"#{_SPACE}HELP[ \t]+({_KEY}|\S+)[ \t]+(.*)")
_UNIT = re.compile(r"_(seconds|bytes|meters|grams|joules|volts|amperes|celsius|ratio|percent)(?:_total|_sum)?$")
_TYPE = re.compile(rf"#{_SPACE}TYPE[ \t]+({_KEY}|\S+)[ \t]+(\S+).*")
_ESCAPE = re.compile(r'\\([\\"n])')
_UNFIT_KEY, _UNFIT = re.compile(r"[\x00-\x20\x7f;=!^]"), re.compile(r"[\x00-\x20\x7f;]")
_NUMBER = re.compile(r"[-+]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][-+]?\d{1,3})?", re.ASCII)
_MILLISECONDS = re.compile(r"-?\d{1,15}", re.ASCII)
_SECONDS_MAX = 9e12
_OF_FAMILY = ("_total", "_count", "_sum", "_bucket", "_created")
_LEVELS = ("gauge", "gaugehistogram", "info", "stateset")

Meaning = tuple[Kind, str, str]
"""What a metric is: its kind, its unit and what its program says of it."""


class Scrape:
    """Reads one text.

    Parameters
    ----------
    text
        What a target answered.
    series_max
        So many points are read.
    open_metrics
        Whether it is OpenMetrics: times are seconds, and the text has an end.
    """

    def __init__(self, text: str, series_max: int, *, open_metrics: bool = False) -> None:
        self.bad = 0
        self.first_bad = ""
        """The first line that is none."""
        self._text = text
        self._open_metrics = open_metrics
        self._ended = False
        self._series_max = series_max
        self._family, self._type = "", "unknown"
        self._meanings: dict[str, Meaning] = {}  # of metrics, by the type that was told last
        self._help: dict[str, str] = {}

    def points(self) -> Iterator[Point]:
        """The points of all lines that can be read.

        Raises
        ------
        ServiceError
            If there are too many.
        """
        count = 0
        for raw in self._text.split("\n"):
            line = raw.removesuffix("\r").lstrip(" \t")
            if line.startswith("#"):
                self._comment(line)
            elif line:
                point = self._sample(line) if not self._ended else line[:100]
                if isinstance(point, Point):
                    count += 1
                    if count > self._series_max:
                        raise ServiceError(
                            f"cannot read more than {self._series_max} series of a target; expected series_max to allow"
                        )
                    yield point
                elif point is not None:
                    self._refuse(point)
        if self._open_metrics and not self._ended:
            self._refuse("the end of the text, which was cut off")

    def _refuse(self, line: str) -> None:
        self.bad += 1
        self.first_bad = self.first_bad or line

    def _comment(self, line: str) -> None:
        if self._open_metrics and line == "# EOF":
            self._ended = True
        if found := _TYPE.fullmatch(line):
            name, kind = found.groups()
            self._family, self._type = _UNFIT.sub("_", _bare(name)), kind
            self._meanings.clear()
        elif (found := _HELP.fullmatch(line)) and len(self._help) < self._series_max:
            self._help[_bare(found[1])] = _ESCAPE.sub(lambda sign: " " if sign[1] == "n" else sign[1], found[2]).strip()

    def _sample(self, line: str) -> Point | str | None:
        """The point of a line; the line if it is none, None if its value is not finite."""
        found = _LINE.fullmatch(line)
        if found is None or not self._is_time(found[4]):
            return line[:100]
        path, labels = found[1] or "", found[2]
        if path and labels and len(line) < NAME_BYTES_MAX // 4 and _PLAIN.fullmatch(labels):
            name = f"{path};{labels[:-1]}".replace('",', ";").replace('="', "=")
        else:
            path, name = _read(path, labels or "")
        if not name:
            return line[:100]
        if not _NUMBER.fullmatch(found[3]):
            return None if found[3].lstrip("+-").lower() in ("nan", "inf", "infinity") else line[:100]
        value = float(found[3])
        if not math.isfinite(value):
            return None
        meaning = self._meanings.get(path)
        if meaning is None:
            meaning = self._meanings[path] = self._meaning(path)
        return Point(name, value, *meaning)

    def _meaning(self, path: str) -> Meaning:
        family = next((path.removesuffix(ending) for ending in _OF_FAMILY if _ends(path, ending)), path)
        found = _UNIT.search(path)
        description = self._help.get(path) or self._help.get(family, "")
        return self._kind(path), found[1] if found else "", description

    def _is_time(self, text: str | None) -> bool:
        if text is None or not self._open_metrics:
            return text is None or bool(_MILLISECONDS.fullmatch(text))
        return bool(_NUMBER.fullmatch(text)) and abs(float(text)) <= _SECONDS_MAX

    def _kind(self, path: str) -> Kind:
        more = path.removeprefix(self._family)
        told = "unknown"
        if self._family and path.startswith(self._family):
            of_family = not more or (more in _OF_FAMILY and self._type not in ("gauge", "stateset"))
            told = self._type if of_family else "unknown"
        if told in _LEVELS or _ends(path, "_created"):
            return Kind.GAUGE
        if told == "counter" or _ends(path, "_count", "_sum", "_bucket"):
            return Kind.CUMULATIVE
        growing = _ends(path, "_total") and told not in ("histogram", "summary")
        return Kind.CUMULATIVE if growing else Kind.GAUGE


def _read(path: str, text: str) -> tuple[str, str]:
    """The metric, and the name of the series of its labels; which is empty if there is none."""
    labels = _labels(text)
    if labels is None:
        return path, ""
    if not path and labels and labels[0][1] is None:  # the metric stands in quotes among the labels
        path = _UNFIT.sub("_", labels.pop(0)[0])
    return path, _named(path, labels)


def _labels(text: str) -> list[tuple[str, str | None]] | None:
    """Keys and values; a key without one can only be the name of a metric. None if the text is no list of these."""
    labels: list[tuple[str, str | None]] = []
    at, end = 0, len(text.rstrip(" \t"))
    while at < end:
        found = _LABEL.match(text, at, end)
        if not found or (found[2] is None and (labels or found[1][0] != '"')):
            return None
        labels.append((_bare(found[1]), None if found[2] is None else _bare(found[2])))
        at = found.end()
    return labels


def _named(path: str, labels: list[tuple[str, str | None]]) -> str:
    """The name of a series; empty if there is none, or it is too long."""
    parts = [path]
    for key, value in labels:
        if value is None:
            return ""
        if value:
            clean = _UNFIT.sub("_", value)
            called = "exported_name" if key == "name" else _UNFIT_KEY.sub("_", key)
            parts.append(f"{called}={'_' + clean[1:] if clean[0] == '~' else clean}")
    name = ";".join(parts)
    return name if path and len(name.encode()) <= NAME_BYTES_MAX else ""


def _bare(word: str) -> str:
    if not word.startswith('"'):
        return word
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], word[1:-1])


def _ends(path: str, *endings: str) -> bool:
    return any(path.endswith(ending) and path != ending for ending in endings)
