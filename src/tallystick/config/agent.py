"""The table of the agent: where it sends what it collects, and how that is named."""

import re
from typing import Annotated

import msgspec

from tallystick.config.delivery import Delivering
from tallystick.config.doors import DEFAULT_DOORS, Door
from tallystick.config.rename import split_rename
from tallystick.config.table import key, word

PREFIX_FIELDS = ("environment", "class", "host")
"""What can stand in braces in the prefix of a host's numbers."""


def _prefix(text: str) -> None:
    unknown = [word for word in re.findall(r"{([^}]*)}", text) if word not in PREFIX_FIELDS]
    if unknown or "{" in re.sub(r"{\w+}", "", text) or not text.strip("."):
        known = ", ".join(f"{{{field}}}" for field in PREFIX_FIELDS)
        raise ValueError(f"{text!r} is no prefix of names; expected words and dots, and {known}")


def _http_or_none(text: str) -> None:
    if text and not re.match(r"https?://[^/\s]+", text):
        raise ValueError(f"{text!r} is no address of a server; expected http://host:port")


def _class_rules(texts: tuple[str, ...]) -> None:
    for text in texts:
        split_rename(text)


class Agent(Delivering, frozen=True):
    """Where 'tallystick agent' sends what it collects, and how collected series are named."""

    prefix: Annotated[
        str, key("Stands before the name of each number of the host: words, {environment}, {class}, {host}.", _prefix)
    ] = "{environment}.hosts.{class}.{host}"
    environment: Annotated[str, key("Empty is that of TALLYSTICK_ENVIRONMENT, else dev.", word)] = ""
    host_class: Annotated[
        str, key("Class of this host; empty is that of TALLYSTICK_CLASS, else by 'classes'.", word)
    ] = msgspec.field(name="class", default="")
    classes: Annotated[
        tuple[str, ...],
        key(
            "Classes of hosts by their names, as '^\\w+-(\\w+)-\\d+ -> \\1'; the first that matches. A name that none "
            "matches is its own class, without the number at its end.",
            _class_rules,
        ),
    ] = ()
    host: Annotated[str, key("What this host is called; empty is TALLYSTICK_HOST, else what it calls itself.")] = ""
    discover: Annotated[
        bool, key("Collect what is found on this host, beside what [[collectors]] names; as an item named '*' does.")
    ] = True
    events: Annotated[
        str,
        key(
            "Server that events of DogStatsD's senders are posted to, http://host:port; empty is port 8080 of the "
            "first of the servers.",
            _http_or_none,
        ),
    ] = ""
    doors: Annotated[
        tuple[Door, ...], key("Doors for the programs of its host, whose samples leave as one row a slot; [] for none.")
    ] = DEFAULT_DOORS

    @property
    def events_server(self) -> str:
        """Where events are posted."""
        first = self.endpoints[0]
        host = "127.0.0.1" if first.local else f"[{first.host}]" if ":" in first.host else first.host
        return self.events or f"http://{host}:8080"

    @property
    def class_rules(self) -> tuple[tuple[str, str], ...]:
        """Regular expressions and classes."""
        return tuple(split_rename(text) for text in self.classes)
