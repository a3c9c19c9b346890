"""The keys of ``[[logs]]``: which files are followed, what their lines look like, and what is counted in them."""

import re
from collections.abc import Iterator
from typing import Annotated

from tallystick.config.table import Conflict, Table, key, one_of

LOG_KINDS = ("counter", "gauge", "timing", "distinct")
WEB_FORMATS = ("apache", "nginx")

_PLACEHOLDER = re.compile(r"{(\w+)}")


def _pattern(text: str) -> None:
    if text:
        try:
            re.compile(text.encode())
        except re.error as error:
            raise ValueError(f"{text!r} is broken: {error}; expected a regular expression with named groups") from None


def _name(text: str) -> None:
    bare = _PLACEHOLDER.sub("x", text)
    if not re.fullmatch(r"[\w.-]+", bare) or bare.strip(".") != bare:
        raise ValueError(f"{text!r} is no name; expected words, dots, and {{group}} for what a line has there")


def _format(text: str) -> None:
    if text and text not in WEB_FORMATS and "%" not in text and "$" not in text:
        raise ValueError(
            f"{text!r} is no format; expected {', '.join(WEB_FORMATS)}, Apache's LogFormat or nginx's log_format"
        )


class LogMetric(Table, frozen=True):
    """Something that is counted or measured in the lines of a log."""

    name: Annotated[str, key("Of the metric; {group} is what that group of the pattern matched.", _name)]
    kind: Annotated[str, key(f"One of {', '.join(LOG_KINDS)}.", one_of("kind", LOG_KINDS))] = "counter"
    value: Annotated[
        str, key("The group with the number, or of distinct the text; a counter without one counts lines.")
    ] = ""
    factor: Annotated[float, key("What the number is multiplied with: 0.001 makes seconds of milliseconds.", gt=0)] = (
        1.0
    )

    @property
    def groups(self) -> set[str]:
        """The groups that a line must have."""
        return {*_PLACEHOLDER.findall(self.name), *([self.value] if self.value else [])}

    def conflicts(self) -> Iterator[Conflict]:
        if self.kind != "counter" and not self.value:
            yield ("value",), f"a {self.kind} needs one; expected the name of a group"


class Log(Table, frozen=True):
    """Files that the agent follows, through rotation and restarts; nothing in them is counted twice."""

    path: Annotated[str, key("A file, or a glob of files; archives that rotation left are found beside it.")]
    app: Annotated[
        str, key("Stands for the program in names; {vhost} is the virtual host of a line. Empty: the file's name.")
    ] = ""
    format: Annotated[
        str,
        key(
            f"Of a web server: {', '.join(WEB_FORMATS)}, or a LogFormat or log_format as its configuration has it. "
            "Requests, status, methods, bytes and times are counted.",
            _format,
        ),
    ] = ""
    pattern: Annotated[
        str, key("A regular expression with named groups, which 'metrics' refer to; 'time' is when.", _pattern)
    ] = ""
    metrics: tuple[LogMetric, ...] = ()
    errors: Annotated[
        bool | None,
        key("Whether lines that tell of errors are counted by what they have in common; so it is without a format."),
    ] = None
    error_pattern: Annotated[str, key("What such a line has; empty for the usual words.", _pattern)] = ""

    def conflicts(self) -> Iterator[Conflict]:
        if self.format and self.pattern:
            yield ("pattern",), "lines have a format already; expected either of them"
        if self.metrics and not self.pattern:
            yield ("metrics",), "there is nothing to measure; expected a pattern with named groups beside them"
        known = set(re.compile(self.pattern).groupindex) if self.pattern else set()
        for k, metric in enumerate(self.metrics):
            if missing := sorted(metric.groups - known):
                yield ("metrics", k, "name"), f"the pattern has no group {missing[0]!r}; expected one of its groups"
        if not self.path.startswith(("/", "~")):
            yield ("path",), f"{self.path!r} depends on where the agent is started; expected an absolute path"

    @property
    def counts_errors(self) -> bool:
        """Whether error lines are looked for."""
        return not self.format if self.errors is None else self.errors
