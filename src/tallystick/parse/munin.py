r"""What a Munin node says, as the protocol of a conversation: our questions behind ``> ``, its answers as they are.

::

    # munin node at web1.example.com
    > list web1.example.com
    > config cpu
    user.label user
    user.type DERIVE
    .
    > fetch cpu
    user.value 1234
    .

A ``list`` says whose plug-ins follow: a node may answer for several hosts. ``multigraph`` inside an answer begins
another graph. What ``config`` said of a field may be of an earlier conversation.

- **Names.** ``munin.host.plugin.field``; dots of the host become ``_``, those of nested graphs part the name.
- **Kinds.** ``COUNTER`` and ``DERIVE`` are counters that grow, ``ABSOLUTE`` is one that each look sets to zero, all
  else is a gauge.
- **Meaning.** A field is described by the graph's title with the field's ``info`` or ``label``; its unit is what the
  graph's ``vlabel`` says, if that is one word or one ``per ${graph_period}``, and the field is drawn as it is.
- **Values** are decimal numbers, with seconds since the epoch and a colon before them where the node kept them for us.
  ``U`` says that there is no value, and is counted as `stale`.
- **Counting.** Each value is a sample. A comment in an answer is a plug-in that failed, and one reject.
"""

import re

from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.parse.reading import Reading, ReadingMaker, fitting, host_component

_KINDS = {"COUNTER": Kind.CUMULATIVE, "DERIVE": Kind.CUMULATIVE, "ABSOLUTE": Kind.COUNTER}
_ATTRIBUTE = re.compile(r"([^.\s]+)\.(\S+)\s*(.*)", re.ASCII)
_OF_GRAPH = re.compile(r"graph_(title|vlabel)\s+(.*)", re.ASCII)
_UNIT = re.compile(r"([^\s()]+)( per (?:\$\{graph_period\}|second))?", re.ASCII)
_KEPT = re.compile(r"(\d{1,12}):(.*)", re.ASCII)


def read_conversation(text: bytes, prefix: str, now_ms: int) -> Reading:
    """Read a conversation.

    Parameters
    ----------
    prefix
        What stands before each name.
    now_ms
        When values were fetched that do not say when they are of.
    """
    conversation = _Conversation(prefix, now_ms)
    for line in text.decode("utf-8", "replace").split("\n"):
        conversation.hear(line.strip())
    conversation.finish()
    return conversation.made.reading()


class _Conversation:
    """Where in a conversation the reader stands."""

    def __init__(self, prefix: str, now_ms: int) -> None:
        self.made = ReadingMaker()
        self._prefix = prefix
        self._now_ms = now_ms
        self._host = ""
        self._plugin = self._graph = ""
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self._said: dict[tuple[str, str, str, str], str] = {}  # of host, graph, field (none: of all of it): by its word
        self._values: list[tuple[str, str, str]] = []  # graph, field, value: of the answer at hand

    def hear(self, line: str) -> None:
        if line.startswith("> "):
            self.finish()
            verb, _, what = line[2:].partition(" ")
            if verb == "list":
                self._host, self._plugin = what, ""
            else:
                self._plugin = self._graph = what
        elif not self._plugin or line in ("", "."):
            return
        elif line.startswith("#"):
            self.made.reject(Reason.FIELDS, f"{self._host} {self._plugin}: {line}")
        elif line.startswith("multigraph "):
            self._graph = line.partition(" ")[2].strip()
        elif match := _OF_GRAPH.fullmatch(line):
            self._said[self._host, self._graph, "", match[1]] = match[2]
        elif match := _ATTRIBUTE.fullmatch(line):
            self._attribute(match[1], match[2], match[3])

    def finish(self) -> None:
        """The answer at hand is over: what it said of a field may follow the field's value."""
        for graph, field, value in self._values:
            self._value(graph, field, value)
        self._values.clear()

    def _attribute(self, field: str, what: str, value: str) -> None:
        if what == "type":
            self._kinds[self._host, self._graph, field] = _KINDS.get(value.upper(), Kind.GAUGE)
        elif what == "value":
            self._values.append((self._graph, field, value))
        elif what in ("label", "info", "cdef"):
            self._said[self._host, self._graph, field, what] = value

    def _value(self, graph: str, field: str, value: str) -> None:
        kept = _KEPT.fullmatch(value)
        at_ms, number = (1000 * int(kept[1]), kept[2]) if kept else (self._now_ms, value)
        parts = (self._prefix, host_component(self._host), fitting(graph), fitting(field))
        kind = self._kinds.get((self._host, graph, field), Kind.GAUGE)
        name = ".".join(part for part in parts if part)
        reason = Reason.STALE if number == "U" else self.made.add(name, number, at_ms, kind)
        if reason:
            self.made.reject(reason, f"{self._host} {graph} {field}.value {value}")
        else:
            self._describe(name, graph, field, kind)

    def _describe(self, name: str, graph: str, field: str, kind: Kind) -> None:
        def said(what: str, field: str = "") -> str:
            return self._said.get((self._host, graph, field, what), "")

        what = said("info", field) or said("label", field)
        description = ": ".join(part for part in (said("title"), what) if part)
        match = None if said("cdef", field) else _UNIT.fullmatch(said("vlabel"))
        if match is None:
            unit = ""
        elif kind is Kind.GAUGE:
            unit = f"{match[1]}/s" if match[2] else match[1]
        else:  # it is drawn as a rate, of which the series is what is counted
            unit = match[1] if match[2] else ""
        self.made.describe(name, unit=unit, description=description)
