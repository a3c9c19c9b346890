"""``/render``: targets as pictures, or as numbers in the formats that Graphite's clients read."""

from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from tallystick.model.clock import Clock
from tallystick.model.errors import QueryError
from tallystick.query import Evaluator
from tallystick.query import Request as Reading
from tallystick.query.pie import slices
from tallystick.query.series import SeriesList
from tallystick.render import PICTURES, Drawing, Options, Rendered, Slice, render, render_pie
from tallystick.web.reading import Parameters, answered, parameters, reading, slashed
from tallystick.web.workers import IsGone, Workers

_FRESH = {"cache-control": "max-age=0, no-cache, no-store, must-revalidate, private"}
"""As Graphite says it of answers that it does not cache; ours are always fresh."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request asks for."""

    form: str
    targets: list[str]
    reading: Reading
    options: Options
    pie: str
    """How series become slices; empty for lines."""


def rendering_routes(evaluator: Evaluator, clock: Clock, workers: Workers) -> list[BaseRoute]:
    """The route."""
    drawing = Workers(1)  # pictures are drawn one at a time, and those who wait for it hold up no query

    async def render_targets(request: Request) -> Response:
        asked = _asked(await parameters(request), int(clock.now()))
        if asked.pie:
            every = await workers.answer(request, lambda gone: _slices(evaluator, asked, gone))
            rendered = await drawing.answer(request, lambda _: render_pie(asked.form, every, asked.options))
        elif asked.form in PICTURES:
            grids = await workers.answer(request, lambda gone: evaluator.evaluate(asked.targets, asked.reading, gone))
            rendered = await drawing.answer(request, lambda _: render(asked.form, grids, asked.options))
        else:
            rendered = await workers.answer(request, lambda gone: _rendered(evaluator, asked, gone))
        answer = answered(rendered)
        answer.headers.update(_FRESH)
        return answer

    return slashed("/render", render_targets, "POST")


def _asked(given: Parameters, now_s: int) -> _Asked:
    form, pie = _form(given), _pie(given)
    form = form if form in PICTURES or not pie else "png"
    asked = reading(given, now_s, "-1d", "maxDataPoints" if form == "json" else "")
    drawing = Drawing()
    if form in PICTURES:
        drawing = Drawing.parse({name: given.one(name) for name in given.names()})
        asked = asked if pie else replace(asked, slots_max=drawing.slots_max)
    options = Options(given.flag("pretty"), given.one("jsonp") or None, given.flag("noNullPoints"), asked.zone, drawing)
    targets = [target for target in given.all("target") if target.strip()]
    return _Asked(form, targets, asked, options, pie)


def _form(given: Parameters) -> str:
    """The format: Graphite draws a picture of whatever it does not know; we say so, but where nothing is asked for."""
    if given.has("format"):
        return given.one("format") or "png"
    return "raw" if given.has("rawData") else "pickle" if given.has("pickle") else "png"


def _pie(given: Parameters) -> str:
    match given.one("graphType") or "line":
        case "line":
            return ""
        case "pie":
            return given.one("pieMode") or "average"
        case other:
            raise QueryError(f"cannot draw graphType {other!r}: expected line or pie")


def _rendered(evaluator: Evaluator, asked: _Asked, gone: IsGone) -> Rendered:
    return render(asked.form, evaluator.evaluate(asked.targets, asked.reading, gone), asked.options)


def _slices(evaluator: Evaluator, asked: _Asked, gone: IsGone) -> list[Slice]:
    return [one for target in asked.targets for one in _slices_of(evaluator, target, asked, gone)]


def _slices_of(evaluator: Evaluator, target: str, asked: _Asked, gone: IsGone) -> list[Slice]:
    """The slices of a target: a slice may be given as a name and a number, ``free:5``."""
    name, colon, number = target.partition(":")
    if colon and "(" not in name:
        try:
            return [Slice(name, float(number))]
        except ValueError as error:
            raise QueryError(f"cannot draw slice {target[:200]!r}: expected a number after the colon") from error
    series = SeriesList(tuple(evaluator.evaluate([target], asked.reading, gone)))
    values = slices(series, asked.pie).tolist()
    return [Slice(row.name, value) for row, value in zip(series.rows, values, strict=True)]
