"""Formats of web servers' logs: Apache's ``LogFormat`` and nginx's ``log_format`` as regular expressions.

The groups that matter have these names, whatever the format: ``vhost time request method status bytes`` and, by its
unit, ``took_us took_ms took_s``.
"""

import re
from collections.abc import Callable, Iterator

_QUOTED = r'[^"\\]*(?:\\.[^"\\]*)*'
_TIME = r"\[[^\]]+\]"

# Apache's documentation, mod_log_config; %O and %I need mod_logio.
_APACHE = {
    "v": "vhost",
    "V": "vhost",
    "t": "time",
    "r": "request",
    "m": "method",
    "s": "status",
    "b": "bytes",
    "B": "bytes",
    "O": "bytes",
    "D": "took_us",
    "T": "took_s",
    "{s}T": "took_s",
    "{ms}T": "took_ms",
    "{us}T": "took_us",
}
# nginx's documentation, ngx_http_log_module and ngx_http_core_module.
_NGINX = {
    "host": "vhost",
    "http_host": "vhost",
    "server_name": "vhost",
    "time_local": "time",
    "time_iso8601": "time",
    "msec": "time",
    "request": "request",
    "request_method": "method",
    "status": "status",
    "body_bytes_sent": "bytes",
    "bytes_sent": "bytes",
    "request_time": "took_s",
}
_DIRECTIVE = re.compile(r"%[<>]?(?:!?[\d,]+)?(\{[^}]*\})?(\^[a-zA-Z]{2}|[a-zA-Z]|%)")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")

_COMMON = (
    r'(?:(?P<vhost>[\w.*-]+)(?::\d+)? )?\S+ \S+ \S+ (?P<time>\[[^\]]+\]) "(?P<request>'
    + _QUOTED
    + r')" (?P<status>\d{3}) '
)
_ANY = _COMMON + r'(?P<bytes>\d+|-)(?: "' + _QUOTED + '" "' + _QUOTED + '")?'

BUILT_IN = {
    "apache": _ANY + r"(?: (?P<took_us>\d+)(?:usec)?)?(?: .*)?",
    "nginx": _ANY + r"(?: (?P<took_s>\d+\.\d+))?(?: .*)?",
}
"""Their *common* and *combined* formats, with or without a virtual host in front; a number behind them is the time that
the request took, Apache's ``%D`` or nginx's ``$request_time``."""


def expression(form: str) -> str:
    """A built-in format, a ``LogFormat`` (with ``%``) or a ``log_format`` (with ``$``) as a regular expression.

    Raises
    ------
    ValueError
        If it is none of these, or says nothing that can be counted.
    """
    if form in BUILT_IN:
        return BUILT_IN[form]
    if "%" in form:
        parts = _parts(_DIRECTIVE, form.replace('\\"', '"'), _apache_field)
    elif "$" in form:
        parts = _parts(_VARIABLE, form, lambda match: _NGINX.get(match[1] or match[2], ""))
    else:
        raise ValueError(
            f"{form!r} is no format of a web server; expected {', '.join(BUILT_IN)}, a LogFormat or a log_format"
        )
    text = "".join(parts)
    if "(?P<" not in text:
        raise ValueError(f"{form!r} has neither request nor status; expected a field that can be counted")
    return text


def _apache_field(match: re.Match[str]) -> str | None:
    """The group of a directive; None if it is a percent sign."""
    if match[2] == "%":
        return None
    return _APACHE.get((match[1] or "") + match[2], "time" if match[2] == "t" and not match[1] else "")


def _parts(field: re.Pattern[str], form: str, group_of: Callable[[re.Match[str]], str | None]) -> Iterator[str]:
    """Expressions for text and fields; a field ends where the text behind it begins."""
    seen: set[str] = set()
    matches = list(field.finditer(form))
    ends = [match.start() for match in matches[1:]] + [len(form)]
    yield re.escape(form[: matches[0].start()])
    for match, end in zip(matches, ends, strict=True):
        behind = form[match.end() : end]
        group = group_of(match)
        if group is None:
            yield "%"
        else:
            inside = _inside(group, form[match.start() - 1 : match.start()], behind)
            named = bool(group) and group not in seen
            yield f"(?P<{group}>{inside})" if named else f"(?:{inside})"
            seen.add(group)
        yield re.escape(behind)


def _inside(group: str, before: str, behind: str) -> str:
    """What a field may hold."""
    if group == "time" and before != "[":
        return rf"{_TIME}|[^ ]+"
    if behind.startswith('"'):
        return _QUOTED
    if behind.startswith("]"):
        return r"[^\]]*"
    return rf"[^{re.escape(behind[0])}]*" if behind and not behind[0].isspace() else r"\S*"
