"""The making of names: nobody types where his numbers lie, the place follows from who makes them and where.

Hosts' numbers lie below ``<environment>.hosts.<class>.<host>.``, those of programs below the same and, for the cluster
as a whole, below ``<environment>.apps.<app>.``. A class is what hosts of one purpose have in common: ``web`` of
``web12``. All of it is said once, in the config of the agent or in the environment of a process, or follows from the
host's name. Needs nothing but Python itself: sensors load it in every program.
"""

import os
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

HOST = "{environment}.hosts.{class}.{host}"
"""Where the numbers of a host lie."""
APPS = "{environment}.apps"
"""Where the numbers of programs lie, of all hosts together."""
APP = APPS + ".{app}.{sensor}"
"""What a program counts, of all hosts together."""
APP_ON_HOST = HOST + ".{app}.{sensor}"
"""What a program counts on one host."""

FIELDS = ("environment", "class", "host", "app", "version", "sensor")
"""What can stand in braces in a template."""

ClassRule = tuple[str, str]
"""Regular expression that is searched in the name of a host, and the class, with ``\\1`` for groups."""


@dataclass(frozen=True, slots=True)
class Place:
    """Who makes numbers, and where; each field is one component of a name or empty.

    Parameters
    ----------
    environment
        ``prod``, ``stage``, ``dev``.
    host_class
        What hosts of one purpose have in common.
    host
        Short name of the host.
    app
        Name of the program; empty for what is the host's own.
    version
        Of the program; empty if nobody said.
    """

    environment: str
    host_class: str
    host: str
    app: str = ""
    version: str = ""

    def name(self, template: str, sensor: str = "") -> str:
        """`template` filled; a component that comes out empty is left out.

        Parameters
        ----------
        template
            Words, dots and `FIELDS` in braces.
        sensor
            Dotted; each of its parts becomes a component.
        """
        values = {
            "environment": self.environment,
            "class": self.host_class,
            "host": self.host,
            "app": self.app,
            "version": self.version,
            "sensor": dotted(sensor),
        }
        filled = re.sub(r"{(\w+)}", lambda field: values[field[1]], template)
        return ".".join(part for part in filled.split(".") if part)


def here(
    environ: Mapping[str, str] | None = None,
    *,
    environment: str = "",
    host_class: str = "",
    host: str = "",
    class_rules: Iterable[ClassRule] = (),
    app: str = "",
    version: str = "",
) -> Place:
    """Where this process makes numbers.

    What is given counts first, then ``TALLYSTICK_ENVIRONMENT``, ``TALLYSTICK_CLASS``, ``TALLYSTICK_HOST``,
    ``TALLYSTICK_APP`` and ``TALLYSTICK_VERSION``, then what the host is called.

    Parameters
    ----------
    environ
        By default that of the process.
    """
    environ = os.environ if environ is None else environ

    def said(given: str, variable: str) -> str:
        return component(text) if (text := given or environ.get(variable, "")) else ""

    whole = host or environ.get("TALLYSTICK_HOST") or socket.gethostname()
    return Place(
        said(environment, "TALLYSTICK_ENVIRONMENT") or "dev",
        said(host_class, "TALLYSTICK_CLASS") or class_of(whole, class_rules),
        short_host(whole),
        said(app, "TALLYSTICK_APP"),
        said(version, "TALLYSTICK_VERSION"),
    )


def class_of(host: str, rules: Iterable[ClassRule] = ()) -> str:
    """The class of a host by the first rule that matches its name as it is given, else its short name without number.

    ``web12.example.org`` is ``web``, ``db-3`` is ``db``; what is only digits is ``unknown``.
    """
    for pattern, template in rules:
        if found := re.search(pattern, host):
            return component(found.expand(template))
    return re.sub(r"[\d_-]+$", "", short_host(host)) or "unknown"


def short_host(name: str | None = None) -> str:
    """The host's name up to its first dot, as one component; by default that of this machine."""
    name = socket.gethostname() if name is None else name
    first = name.partition(".")[0]
    return component(name if first.isdigit() else first)


def dotted(text: str) -> str:
    """`text` with each of its parts between dots as a component: ``http.GET /cart`` is ``http.GET-cart``."""
    return ".".join(component(part) for part in text.split(".") if part)


def component(text: str) -> str:
    """`text` as one component of a name: ``/`` is ``root``, ``/var/log`` is ``var-log``, ``eth0.5`` is ``eth0_5``."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text.replace(".", "_")).strip("-") or "root"
