"""What can be set, read from one TOML file.

`load` gives a `Config` or raises one `ConfigError` that tells every problem with its line. `builtin` is the config
without any file. The keys, their defaults, meanings and checks are the structs in `schema` and the files of its tables;
`sample` prints them.
"""

from tallystick.config.agent import Agent
from tallystick.config.checks import Check
from tallystick.config.collectors import EVERYTHING, Collector
from tallystick.config.kinds import Kinded, Kinds
from tallystick.config.listeners import DEFAULT_LISTENERS, PROTOCOLS, Listener
from tallystick.config.load import builtin, load, parse
from tallystick.config.polls import POLLED, Poll
from tallystick.config.rules import Rule
from tallystick.config.sample import sample
from tallystick.config.schema import (
    Config,
    Http,
    Query,
)
from tallystick.config.statsd import Statsd
from tallystick.config.store import Keep, Store

__all__ = [
    "DEFAULT_LISTENERS",
    "EVERYTHING",
    "POLLED",
    "PROTOCOLS",
    "Agent",
    "Check",
    "Collector",
    "Config",
    "Http",
    "Keep",
    "Kinded",
    "Kinds",
    "Listener",
    "Poll",
    "Query",
    "Rule",
    "Statsd",
    "Store",
    "builtin",
    "load",
    "parse",
    "sample",
]
