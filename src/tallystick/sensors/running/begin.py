"""`begin`: what a program imports is made to count."""

import functools
from types import ModuleType

from tallystick.sensors.integrations import INTEGRATIONS, installer, of_this_process
from tallystick.sensors.running.imports import Hook, Imports
from tallystick.sensors.running.servers import SERVERS


def begin() -> None:
    """Count what the libraries do that are imported from now on, and the requests of web applications."""
    hooks: dict[str, Hook] = {name: functools.partial(_install, name) for name in INTEGRATIONS}
    hooks |= {name: functools.partial(_serve, name) for name in SERVERS}
    Imports(hooks).begin()


def _install(name: str, library: ModuleType) -> None:
    installer(name)(library, of_this_process())


def _serve(name: str, library: ModuleType) -> None:
    SERVERS[name](library, of_this_process())
