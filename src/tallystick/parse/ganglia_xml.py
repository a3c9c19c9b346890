"""Ganglia's XML, as gmond and gmetad answer it over TCP.

::

    GANGLIA_XML ( GRID ( GRID | CLUSTER ( HOST ( METRIC )* )* | METRICS )* )*

- **Names.** ``ganglia.cluster.host.metric``, as gmetad gives them to Graphite, and as those of datagrams whose
  listener's prefix is ``ganglia.cluster``. Sums over a cluster or grid (``METRICS``) are
  ``ganglia.cluster.__SummaryInfo__.metric.sum`` and ``.num``.
- **Kinds** by ``SLOPE``: positive and derivative are counters that grow, all else are gauges.
- **Meaning.** Of each metric its ``UNITS`` and the ``DESC`` among its further elements.
- **Times.** A value is of the moment at which it was last heard of: its age ``TN`` ago.
- **Counting.** Each ``METRIC`` is a sample, each ``METRICS`` two. Text is rejected as `text`.
- **Safety.** Expat calls back for each element and keeps no tree. Entities that a document declares are refused before
  any is used, external ones are never read, and elements nest `DEPTH_MAX` deep.
"""

import re
from xml.parsers import expat

from tallystick.model.errors import TallystickError
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.parse.reading import Reading, ReadingMaker, fitting, host_component

DEPTH_MAX = 32
_GROWING = ("positive", "derivative")
_SUMMARY = "__SummaryInfo__"
_TEXT_SHOWN = 200
_ENDED = [
    expat.errors.codes[fault]
    for fault in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
    )
]
_AGE = re.compile(r"\d{1,9}", re.ASCII)


class RefusedError(TallystickError):
    """A document that is not read any further."""


def read_report(document: bytes, prefix: str, now_ms: int) -> Reading:
    """Read a report; what stands before a fault in it is taken, and the fault is one reject.

    Parameters
    ----------
    prefix
        What stands before each name.
    now_ms
        When the report was made.
    """
    return _Report(prefix, now_ms).read(document)


class _Report:
    """Where in a report the parser stands."""

    def __init__(self, prefix: str, now_ms: int) -> None:
        self._made = ReadingMaker()
        self._prefix = prefix
        self._now_ms = now_ms
        self._sources: list[str] = []
        self._place = self._placed()
        self._host = ""
        self._last = ""  # the series of the metric that further elements are about
        self._depth = 0

    def read(self, document: bytes) -> Reading:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.EntityDeclHandler = _refuse_entity
        parser.ExternalEntityRefHandler = _refuse_external
        try:
            parser.Parse(document, True)
        except RefusedError as error:
            self._made.reject(Reason.FRAME, str(error))
        except expat.ExpatError as error:
            at = parser.ErrorByteIndex
            near = document[max(at - 60, 0) : at + 60].decode("utf-8", "replace")
            self._made.reject(Reason.TRUNCATED if error.code in _ENDED else Reason.FRAME, f"{error}: {near}")
        return self._made.reading()

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise RefusedError(f"cannot read a report nested {self._depth} deep; expected at most {DEPTH_MAX}")
        name = attributes.get("NAME", "")
        if element in ("GRID", "CLUSTER"):
            self._sources.append(name)
            self._place = self._placed()
        elif element == "HOST":
            self._host = host_component(name)
        elif element == "METRIC":
            self._metric(name, attributes)
        elif element == "METRICS":
            self._summary(name, attributes)
        elif element == "EXTRA_ELEMENT" and name == "DESC" and self._last:
            self._made.describe(self._last, description=attributes.get("VAL", ""))

    def _end(self, element: str) -> None:
        self._depth -= 1
        if element in ("GRID", "CLUSTER"):
            self._sources.pop()
            self._place = self._placed()
        elif element == "HOST":
            self._host = ""

    def _placed(self) -> str:
        """What stands before a host: the prefix, and the grid or cluster."""
        source = fitting(self._sources[-1]) if self._sources else ""
        return "".join(f"{part}." for part in (self._prefix, source) if part)

    def _metric(self, name: str, attributes: dict[str, str]) -> None:
        self._last = ""
        if not name or not self._host:
            self._made.reject(Reason.NAME_EMPTY, _shown("METRIC", attributes))
        elif attributes.get("TYPE") == "string":
            self._made.reject(Reason.TEXT, _shown("METRIC", attributes))
        else:
            age_s = int(attributes["TN"]) if _AGE.fullmatch(attributes.get("TN", "")) else 0
            at_ms = self._now_ms - 1000 * age_s
            value, unit = attributes.get("VAL", ""), attributes.get("UNITS", "")
            reason = self._add(self._host, name, value, at_ms, attributes, unit)
            if reason:
                self._made.reject(reason, _shown("METRIC", attributes))

    def _summary(self, name: str, attributes: dict[str, str]) -> None:
        for what, unit in (("NUM", "hosts"), ("SUM", attributes.get("UNITS", ""))):
            reason = Reason.NAME_EMPTY
            if name:
                value = attributes.get(what, "")
                reason = self._add(_SUMMARY, f"{name}.{what.lower()}", value, self._now_ms, attributes, unit)
            if reason:
                self._made.reject(reason, _shown("METRICS", attributes))

    def _add(self, host: str, name: str, value: str, at_ms: int, attributes: dict[str, str], unit: str) -> Reason:
        kind = Kind.CUMULATIVE if attributes.get("SLOPE") in _GROWING else Kind.GAUGE
        series = f"{self._place}{host}.{fitting(name)}"
        reason = self._made.add(series, value.strip(), at_ms, kind)
        if not reason:
            self._last = series
            self._made.describe(series, unit=unit)
        return reason


def _shown(element: str, attributes: dict[str, str]) -> str:
    return " ".join([element, *(f"{key}={value}" for key, value in attributes.items())])[:_TEXT_SHOWN]


def _refuse_entity(name: str, *_: object) -> None:
    raise RefusedError(f"cannot read a report that declares the entity {name[:_TEXT_SHOWN]}; expected plain text")


def _refuse_external(*_: object) -> int:
    raise RefusedError("cannot read a report that refers to another document; expected plain text")


__all__ = ["DEPTH_MAX", "read_report"]
