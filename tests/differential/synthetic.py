"""What both sides of the comparison with graphite-web compute and are asked: plain Python, no packages.

A series is a name, a step in seconds and a function from the start of a slot to its value, None for a gap. A scene is
some series and a request; what is asked in it is in a file of its name in ``tests/golden/query``.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Wave = Callable[[int], float | None]


def _saw(slots: int, step_s: int = 60) -> Wave:
    return lambda t: float(t // step_s % slots)


def _sine(period_s: int, level: float, swing: float) -> Wave:
    return lambda t: round(level + swing * math.sin(2 * math.pi * t / period_s), 3)


def _only(keep: Callable[[int], bool], wave: Wave) -> Wave:
    return lambda t: wave(t) if keep(t // 60) else None


def _counter(t: int) -> float:
    return float((t // 60 * 37) % 1000)


SERIES: dict[str, tuple[int, Wave]] = {
    "a.b.c": (60, _saw(10)),
    "a.e.c": (60, _sine(1260, 20.0, 5.0)),
    "a.g.c": (60, _only(lambda slot: slot % 3 != 0, _saw(7))),
    "web.h1.cpu": (60, _sine(840, 50.0, 25.0)),
    "web.h2.cpu": (60, _sine(660, 40.0, 39.0)),
    "web.h10.cpu": (60, _only(lambda slot: slot % 11 > 3, _sine(900, 60.0, 30.0))),
    "web.h1.mem": (60, _sine(5400, 1000.0, 300.0)),
    "web.h2.mem": (60, _sine(4500, 2000.0, 500.0)),
    "net.rx": (60, _counter),
    "net.reset": (60, lambda t: float(t // 60 % 13 * 100 + 5)),
    "gappy.one": (60, _only(lambda slot: slot % 10 in (2, 3, 7), _saw(9))),
    "gappy.two": (60, _only(lambda slot: slot % 30 > 21, _saw(5))),
    "gappy.none": (60, lambda t: None),
    "signed.v": (60, lambda t: float(t // 60 % 9 - 4)),
    "signed.zero": (60, lambda t: 0.0),
    "signed.odds": (60, lambda t: round((t // 60 % 12) / 11, 4)),
    "fine.f1": (10, _saw(17, 10)),
    "fine.f2": (10, _only(lambda slot: slot % 2 == 0, _saw(11, 10))),
    "coarse.k1": (300, _saw(6, 300)),
    "disk.used;dc=dc1;host=web1": (60, _saw(8)),
    "disk.used;dc=dc1;host=web2": (60, _saw(12)),
    "disk.used;dc=dc2;host=web3": (60, _sine(720, 7.0, 3.0)),
    "disk.free;dc=dc1;host=web1": (60, _saw(15)),
}

DAYS: dict[str, tuple[int, Wave]] = {
    "day.hourly": (3600, lambda t: round(100.0 + 40.0 * math.sin(2 * math.pi * t / 86400) + t // 3600 % 7, 3)),
    "day.gappy": (3600, lambda t: float(t // 3600 % 10) if t // 3600 % 5 > 1 else None),
    "day.halves": (1800, lambda t: float(t // 1800 % 48)),
}
"""For ranges of several days."""


@dataclass(frozen=True)
class Scene:
    """A request, and the series that it is about.

    Parameters
    ----------
    from_s, until_s
        The range in epoch seconds; its end is the present, and on no slot's edge.
    zone
        Where days begin.
    x_files_factor
        Of the request.
    history_s
        So much before the range has values too, for functions that look back.
    """

    from_s: int
    until_s: int
    zone: str = "UTC"
    x_files_factor: float = 0.0
    series: Mapping[str, tuple[int, Wave]] = field(default_factory=lambda: SERIES)
    history_s: int = 8 * 86400


_UNTIL_S = 1_700_006_437
_AFTER_SPRING_S = 1_712_059_637  # 2024-04-02, two days after clocks went forward in Europe
_AFTER_AUTUMN_S = 1_699_369_637  # 2023-11-07, two days after clocks went back in America
_FOUR_DAYS_S = 4 * 86400

SCENES: dict[str, Scene] = {
    "plain": Scene(_UNTIL_S - 1800, _UNTIL_S),
    "shares": Scene(_UNTIL_S - 1800, _UNTIL_S, x_files_factor=0.5),
    "nestings": Scene(_UNTIL_S - 900, _UNTIL_S),
    "shapes": Scene(_UNTIL_S - 600, _UNTIL_S),
    "daylight-spring": Scene(
        _AFTER_SPRING_S - _FOUR_DAYS_S, _AFTER_SPRING_S, "Europe/Berlin", series=DAYS, history_s=330 * 86400
    ),
    "daylight-autumn": Scene(
        _AFTER_AUTUMN_S - _FOUR_DAYS_S, _AFTER_AUTUMN_S, "America/New_York", series=DAYS, history_s=330 * 86400
    ),
}
