"""`sensor`: what a program has anyway becomes a metric by a tag, with its owner and unit beside it.

A tagged function without parameters is asked at each flush. A tagged method is asked of each object that is given to
`watch`, for as long as the object lives.
"""

import inspect
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from tallystick.model.errors import TallystickError
from tallystick.sensors.sensors import Sensors

F = TypeVar("F", bound=Callable[..., Any])

_TAG = "__tallystick_sensor__"


class Tag(NamedTuple):
    """What was said where a function was tagged."""

    name: str
    said: dict[str, Any]


class Tagging:
    """Tags for the functions of a process.

    Parameters
    ----------
    sensors
        Whose gauges they become.
    """

    def __init__(self, sensors: Sensors) -> None:
        self._sensors = sensors

    def sensor(
        self,
        name: str = "",
        *,
        collect: bool = True,
        unit: str = "",
        owner: str = "",
        description: str = "",
        alert: str = "",
        **labels: object,
    ) -> Callable[[F], F]:
        """Make a gauge of a function: a level that it returns, or None where there is none now.

        Parameters
        ----------
        name
            By default the function's; of a method with the class before it.
        collect
            False keeps it in the process until ``TALLYSTICK_COLLECT`` asks for it.
        unit, owner, alert
            Shown where the metric is.
        description
            By default the first line of the function's docstring.

        Raises
        ------
        TallystickError
            If the function is a coroutine function or needs arguments.
        """

        def tag(function: F) -> F:
            first_line = (inspect.getdoc(function) or "").partition("\n")[0]
            said: dict[str, Any] = {"collect": collect, "unit": unit, "owner": owner, "alert": alert}
            said |= {"description": description or first_line, **labels}
            parameters = _parameters(function)
            if parameters == ["self"]:
                setattr(function, _TAG, Tag(name, said))
            else:
                self._sensors.gauge(name or function.__name__, function, **said)
            return function

        return tag

    def watch(self, thing: object, **labels: Any) -> None:
        """Ask the tagged methods of `thing` at each flush, for as long as it lives.

        Parameters
        ----------
        labels
            Tell it from other objects of its class.

        Raises
        ------
        TallystickError
            If it has no tagged methods.
        """
        kind = type(thing)
        tags = {key: tag for key in dir(kind) if (tag := getattr(getattr(kind, key, None), _TAG, None))}
        if not tags:
            raise TallystickError(f"cannot watch {kind.__name__}: expected methods tagged with sensors.sensor")
        for key, tag in tags.items():
            self._sensors.gauge(tag.name or f"{kind.__name__}.{key}", _asked_weakly(thing, key), **(tag.said | labels))


def _parameters(function: Callable[..., Any]) -> list[str]:
    needed = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if inspect.iscoroutinefunction(function) or needed not in ([], ["self"]):
        raise TallystickError(
            f"cannot make a sensor of {function.__qualname__}: expected a plain function that needs no argument"
        )
    return needed


def _asked_weakly(thing: object, key: str) -> Callable[[], float | None]:
    living = weakref.ref(thing)

    def ask() -> float | None:
        now = living()
        return None if now is None else getattr(now, key)()

    return ask
