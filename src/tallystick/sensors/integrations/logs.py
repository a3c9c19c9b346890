"""Records of `logging`, counted by level and logger: ``log.records``."""

import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tallystick.sensors.integrations.wrapping import wrap
from tallystick.sensors.sensors import Sensors

_PARTS_MAX = 2


class CountingHandler(logging.Handler):
    """A handler that only counts, for programs that configure their logging themselves.

    Parameters
    ----------
    sensors
        Where to count, by default those of the process.
    level
        Records below it are not counted.
    """

    def __init__(self, sensors: Sensors | None = None, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        if sensors is None:
            from tallystick.sensors.integrations import of_this_process

            sensors = of_this_process()
        self._sensors = sensors

    def emit(self, record: logging.LogRecord) -> None:
        count(self._sensors, record)


def install(library: ModuleType, sensors: Sensors) -> None:
    """Count what loggers hand to their handlers.

    No handler is added for that: where there is one, `logging.basicConfig` does nothing, and warnings of a program
    without handlers are not printed.
    """

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
            count(sensors, record)
            original(self, record)

        return call_handlers

    wrap(library.Logger, "callHandlers", make)


def count(sensors: Sensors, record: logging.LogRecord) -> None:
    """Count a record by its level and the first two parts of its logger's name."""
    logger = ".".join(record.name.split(".", _PARTS_MAX)[:_PARTS_MAX])
    sensors.counter("log.records", level=record.levelname.lower(), logger=logger).increment()
