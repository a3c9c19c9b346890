"""Libraries that programs use anyway, counted without a line of their own: a file for each, loaded when it is needed.

>>> from tallystick.sensors import integrations
>>> integrations.install("logging", "sqlite3", "requests")

`install` does so for libraries by name, and does nothing for those that are not installed. Each counts by labels that
have few values, whatever the program does: a statement's first word, a host, a status, a task's name.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType

from tallystick.sensors.sensors import Sensors

INTEGRATIONS: Mapping[str, str] = {
    "logging": "logs",
    "sqlite3": "databases",
    "psycopg": "databases",
    "psycopg2": "databases",
    "pymysql": "databases",
    "MySQLdb": "databases",
    "requests": "outgoing",
    "httpx": "outgoing",
    "httpx2": "outgoing",
    "urllib.request": "outgoing",
    "celery": "tasks",
}
"""The file of each library, which has a function ``install`` that takes the library and where to count."""

Install = Callable[[ModuleType, Sensors], None]


def install(*libraries: str, sensors: Sensors | None = None) -> list[str]:
    """Count what these libraries do from now on; twice is as good as once.

    Parameters
    ----------
    libraries
        Names of `INTEGRATIONS`, by default all of them.
    sensors
        Where to count, by default those of the process.

    Returns
    -------
    list of str
        Those that are there.

    Raises
    ------
    KeyError
        If a library is none of `INTEGRATIONS`.
    """
    found = []
    for name in libraries or INTEGRATIONS:
        installing = installer(name)
        try:
            library = import_module(name)
        except ImportError:
            continue
        installing(library, sensors or of_this_process())
        found.append(name)
    return found


def installer(library: str) -> Install:
    """What makes a library count, once it is loaded."""
    installing: Install = import_module(f"{__name__}.{INTEGRATIONS[library]}").install
    return installing


def of_this_process() -> Sensors:
    """The sensors that `tallystick.sensors` shows."""
    from tallystick import sensors

    return sensors.own
