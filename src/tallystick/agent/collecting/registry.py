"""The collectors that there are, by name. Adding one is a file in `collectors` with one `collector` line."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar

from tallystick.agent.collecting.collector import Collector, NoSettings
from tallystick.agent.host import Host
from tallystick.config import Collector as CollectorConfig
from tallystick.config.table import Table
from tallystick.config.validate import convert, key_name
from tallystick.model.errors import ConfigError

C = TypeVar("C", bound=type[Collector[Any]])


@dataclass(frozen=True, slots=True)
class Registered:
    """A collector by name.

    Parameters
    ----------
    name
        Under which it is configured, and which stands before the names of its points.
    looks
        Is made with settings and a host.
    settings
        The keys that its ``[[collectors]]`` items have beside the common ones.
    """

    name: str
    looks: type[Collector[Any]]
    settings: type[Table]

    def made(self, item: CollectorConfig, host: Host) -> Collector[Any]:
        """The collector of an item of the config.

        Raises
        ------
        ConfigError
            If keys that only this collector has cannot be used.
        """
        settings, problems = convert(item.further, self.settings)
        if settings is None:
            place = f"of collector {self.name}"
            raise ConfigError([f"cannot use key {key_name(one.path)} {place}: {one.cause}" for one in problems])
        return self.looks(settings, host)


_REGISTERED: dict[str, Registered] = {}


def collector(name: str, settings: type[Table] = NoSettings) -> Callable[[C], C]:
    """Make a class known as the collector `name`, whose items in the config have the keys of `settings`, too."""

    def register(looks: C) -> C:
        _REGISTERED[name] = Registered(name, looks, settings)
        return looks

    return register


@cache
def registered() -> dict[str, Registered]:
    """All collectors by name; the folder is read on the first call."""
    from tallystick.agent import collectors

    for module in iter_modules(collectors.__path__):
        import_module(f"{collectors.__name__}.{module.name}")
    return dict(sorted(_REGISTERED.items()))
