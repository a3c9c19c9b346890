"""Write the pages of the reference that are made from the code, so that they cannot fall behind it.

Run it after a change of a query function or of a key of the config::

    .venv/bin/python tools/write_reference.py

``tests/unit/docs`` holds the pages to what this writes.
"""

import json
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from tallystick.agent import kinds, registered
from tallystick.agent.checks.registry import FAILED, registered_checks
from tallystick.agent.collecting.itself import Itself
from tallystick.agent.collecting.tells import Tells
from tallystick.config import sample
from tallystick.query import FUNCTIONS, REDUCTION_NAMES, Function
from tallystick.query.parameters import Parameter

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"

_MADE = "<!-- Made by tools/write_reference.py: change the code, then run that. -->"

_TYPES = {
    "seriesList": "series",
    "seriesLists": "series",
    "float": "a number",
    "integer": "a whole number",
    "string": "a string",
    "boolean": "true or false",
    "interval": "a length of time such as '5min'",
    "intOrInterval": "a number of points, or a length of time such as '5min'",
    "aggFunc": "an aggregation",
    "aggOrSeriesFunc": "an aggregation, or a function of the group Combine",
    "node": "the number of a part of the name, from 0",
    "tag": "the key of a tag",
    "nodeOrTag": "the number of a part of the name, from 0, or the key of a tag",
    "date": "a moment such as '-1h' or '12:00_yesterday'",
    "intOrInf": "a whole number or inf",
    "any": "series or a number",
}
"""What each type of a parameter is called on the page."""

_FUNCTIONS_HEAD = """\
# Query functions

What can stand in a *target*: on a graph's page, in `tallystick query`, in `/render` and in Grafana. The names, the
order of arguments and the names of results are Graphite's; where an answer differs, and why, is in
[COMPATIBILITY.md](../../COMPATIBILITY.md#targets).

```
scale(sumSeries(apps.*.requests), 0.1)          calls inside calls
apps.*.requests|sumSeries()|scale(0.1)          the same as a pipe
movingAverage(prod.hosts.web.web1.load.1m, '5min')       strings in single or double quotes
summarize(apps.shop.orders, '1h', func='max')   arguments by name
seriesByTag('name=disk.used', 'host=~web')      series by their tags
```

In a path, `*` and `?` stay within one part between dots, `[a-z]` is one character, `{web,db}` one of several words.

**Aggregations** are: %s; and `p0` to `p100` for percentiles, `p99.9` too.
"""

_COLLECTORS_HEAD = """\
# Collectors: what is looked at on a host

Names are below `<environment>.hosts.<class>.<host>.`: `load.1m` is `prod.hosts.web.web1.load.1m`. An `instance` stands
behind the collector's name: `nginx.blue.requests`. Rates are per second, sizes in bytes, times in seconds where the
name says nothing else. Units and meanings go to the servers with the first numbers of a name, and are shown on graphs.

An agent collects what it finds on its host. An item `[[collectors]]` with the `name` of one of these replaces what is
found of it by what is configured, with `interval_s`, `timeout_s`, `instance` and the keys told here; `collect = false`
leaves it out. Those that ask a service yield `up` besides: 1 if it answered, 0 if not. `tallystick agent test` looks
once at everything and says what came of it. How to use them is in the guides
[Configuration](../guides/configuration.md) and [Services](../guides/services.md).
"""

_CHECKS_HEAD = """\
# Checks: what has to answer

```toml
[[checks]]
name = "shop"
kind = "http"
url = "https://shop.example.org/health"
status = [200]
body = "fine"
certificate_days_min = 14
```

The agent of the host looks every `interval_s` (30), and a server does so if its own file has checks.
`checks.<name>.up`, below the host's prefix, is 1 or 0; what is down counts why in `checks.<name>.failed.<reason>`. What
goes down or comes up again is told in the log with its reason, and is an event. What has not answered within
`timeout_s` (5) is down, and holds up no other check. `tallystick agent test` looks once.
"""

_CONFIGURATION_HEAD = """\
# Configuration: every key

One TOML file. Every key has a default, and a file holds only what differs from it. This is what
`tallystick config sample` prints; `tallystick check config FILE` tells everything that is wrong with a file at once,
with the line and the nearest name of a misspelt key. How to use it is in the [guide](../guides/configuration.md).

```toml
%s```

## Without a file

`tallystick serve` without `--config` is for trying Tallystick out: all collectors of this host every ten seconds, and
data in `$XDG_DATA_HOME/tallystick`, which is `~/.local/share/tallystick` as a rule. A **file** without `[[collectors]]`
collects nothing by itself, and keeps its data in `/var/lib/tallystick`.

## Environment

| variable | read by | meaning |
|---|---|---|
| `TALLYSTICK_AGENT` | `tallystick.sensors` | where to send: [Sensors](../guides/sensors.md); else port 8120 here |
| `TALLYSTICK_AGENT_TOKEN` | `tallystick.sensors` | what is asked for there |
| `TALLYSTICK_ENVIRONMENT` | `tallystick.sensors` | first part of names; else `dev` |
| `TALLYSTICK_APP` | `tallystick.sensors` | the program's part of names; else the name of the program |
| `TALLYSTICK_VERSION` | `tallystick.sensors` | of the program; told when it starts |
| `TALLYSTICK_CLASS`, `TALLYSTICK_HOST` | `tallystick.sensors` | parts of names; else the host's name |
| `TALLYSTICK_COLLECT` | `tallystick.sensors` | patterns of what is sent in spite of `collect=False` |
| `TALLYSTICK_RUNTIME` | `tallystick.sensors` | `off` to have nothing told of the process itself |
| `TALLYSTICK_SIGTERM` | `tallystick.sensors` | `flush` to send everything before SIGTERM ends a program |
| `TALLYSTICK_STATSD` | `tallystick.sensors` | where starts are told as events; else `udp://127.0.0.1:8125` |
| `TALLYSTICK_SERVER` | `tallystick query` | as its `--server`; if it is no `http://` address, as `TALLYSTICK_AGENT` |
| `TALLYSTICK_TOKEN` | `tallystick query` | as its `--token`, without being seen in a list of processes |
| `XDG_CACHE_HOME` | `tallystick serve` | compiled code is kept in `tallystick/` below it; else below `~/.cache` |
| `XDG_DATA_HOME` | `tallystick serve` | without a config: data is kept in `tallystick/` below it |

## Exit status

0 is success. 2 is wrong usage, 3 a config or an environment that keeps a program from starting (a taken port, a
directory that cannot be written), 1 anything else. What is wrong is one sentence on stderr for each problem.
"""


def functions() -> str:
    """The page of query functions."""
    named = ", ".join(f"`{name}`" for name in sorted(REDUCTION_NAMES))
    lines = [_MADE, "", _FUNCTIONS_HEAD % named]
    first_names = [one for name, one in FUNCTIONS.items() if name == one.names[0]]
    for group, members in groupby(sorted(first_names, key=lambda one: (one.group, one.name)), lambda one: one.group):
        lines += [f"## {group}", ""]
        for one in members:
            lines += [*_function(one), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def configuration() -> str:
    """The page of the config's keys."""
    return f"{_MADE}\n\n{_CONFIGURATION_HEAD % sample(kinds())}"


def collectors() -> str:
    """The page of what is looked at on a host."""
    lines = [_MADE, "", *_COLLECTORS_HEAD.splitlines(), ""]
    for one in registered().values():
        lines += [f"## {one.name}", "", _prose(sys.modules[one.looks.__module__].__doc__ or ""), ""]
        lines += _told(one.looks.TELLS)
        keys = msgspec.structs.fields(one.settings)
        if keys:
            lines += ["| key | default | |", "|---|---|---|", *map(_key_row, keys), ""]
    lines += ["## agent", "", _prose(sys.modules[Itself.__module__].__doc__ or ""), "", *_told(Itself.TELLS)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _told(tells: Sequence[Tells]) -> list[str]:
    """What a collector may yield, each name once; those that begin with ``_`` are for sums only."""
    rows = {one.name: f"| `{one.name}` | {_unit(one.unit)} | {one.meaning} |" for one in tells}
    return ["| name | unit | |", "|---|---|---|", *(row for name, row in rows.items() if name[0] != "_"), ""]


def _unit(unit: str) -> str:
    return {"1": "", "1/s": "per second"}.get(unit, unit)


def checks() -> str:
    """The page of what has to answer."""
    lines = [_MADE, "", *_CHECKS_HEAD.splitlines(), ""]
    for name, one in registered_checks().items():
        lines += [f"## {name}", "", _prose(sys.modules[one.looks.__module__].__doc__ or ""), ""]
        lines += _told((*one.looks.TELLS, FAILED))
        lines += ["| key | default | |", "|---|---|---|", *map(_key_row, msgspec.structs.fields(one.settings)), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _key_row(field: msgspec.structs.FieldInfo) -> str:
    told = inspect.type_info(field.type)
    description = (told.extra_json_schema or {}).get("description", "") if isinstance(told, inspect.Metadata) else ""
    default = "needed" if field.required else f"`{json.dumps(msgspec.to_builtins(_default(field)))}`"
    return f"| `{field.encode_name}` | {default} | {description} |"


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _prose(docstring: str) -> str:
    return docstring.strip().replace("``", "`")


PAGES = {"functions.md": functions, "configuration.md": configuration, "collectors.md": collectors, "checks.md": checks}
"""What writes each page of the folder."""


def _function(one: Function) -> list[str]:
    others = ", ".join(f"`{name}`" for name in one.names[1:])
    text = " ".join(one.description.split()).replace("``", "`")
    lines = [f"### {one.name}", "", f"`{one.signature}`" + (f", also {others}" if others else ""), "", text]
    told = [_parameter(parameter) for parameter in one.parameters if _TYPES[parameter.type_name] != "series"]
    return [*lines, "", *told] if told else lines


def _parameter(one: Parameter) -> str:
    several = "" if not one.multiple else "one or more of: " if one.required else "any number of: "
    options = f": one of {', '.join(f'`{word}`' for word in one.hint.options)}" if one.hint.options else ""
    return f"- `{one.name}`: {several}{_TYPES[one.type_name]}{options}"


def main() -> None:
    """Write all pages."""
    for name, write in PAGES.items():
        (REFERENCE / name).write_text(write(), encoding="utf-8")
        sys.stdout.write(f"{REFERENCE / name}\n")


if __name__ == "__main__":
    main()
