"""``/functions``: what can be called, generated from the registry. Grafana builds its query editor of it."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.query import FUNCTIONS, PIE_FUNCTIONS, REDUCTION_NAMES, Function, slices
from tallystick.query.parameters import Parameter
from tallystick.web.errors import error_response
from tallystick.web.reading import Parameters, as_json, parameters


def function_routes() -> list[BaseRoute]:
    """The list of functions, and one of them."""

    async def every(request: Request) -> Response:
        given = await parameters(request)
        return as_json(_pie() if given.one("type") == "pie" else _listed(given), given)

    async def one(request: Request) -> Response:
        name = request.path_params["name"]
        given = await parameters(request)
        pie = _pie() if given.one("type") == "pie" else {}
        if name in pie:
            return as_json(pie[name], given)
        if name not in FUNCTIONS:
            return error_response(404, f"Function not found: {name}")
        return as_json(_described(name, FUNCTIONS[name]), given)

    return [
        Route("/functions", every),
        Route("/functions/", every),
        Route("/functions/{name}", one),
        Route("/functions/{name}/", one),
    ]


def _listed(given: Parameters) -> dict[str, Any]:
    group = given.one("group")
    found = {name: one for name, one in sorted(FUNCTIONS.items()) if group in ("", one.group)}
    if not given.flag("grouped"):
        return {name: _described(name, one) for name, one in found.items()}
    groups: dict[str, dict[str, Any]] = {}
    for name, one in found.items():
        groups.setdefault(one.group, {})[name] = _described(name, one)
    return groups


def _pie() -> dict[str, Any]:
    """What can make a slice of a series."""
    return {
        name: {
            "name": name,
            "function": f"{name}(series)",
            "description": f"The {name} of a series, as the size of its slice.",
            "module": slices.__module__,
            "group": "Pie",
            "params": [{"name": "series", "type": "series", "required": True}],
        }
        for name in PIE_FUNCTIONS
    }


def _described(name: str, one: Function) -> dict[str, Any]:
    return {
        "name": name,
        "function": name + one.signature[len(one.name) :],
        "description": one.description,
        "module": one.call.__module__,
        "group": one.group,
        "params": [_parameter(parameter) for parameter in one.parameters],
    }


def _parameter(one: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {"name": one.name, "type": one.type_name}
    if one.required:
        described["required"] = True
    if one.default is not None:
        described["default"] = _default(one.default)
    if one.multiple:
        described["multiple"] = True
    options = {*one.hint.options}
    if one.type_name in ("aggFunc", "aggOrSeriesFunc"):
        options.update(REDUCTION_NAMES)
    if one.type_name == "aggOrSeriesFunc":
        options.update(name for name, found in FUNCTIONS.items() if found.combines)
    if options:
        described["options"] = sorted(options)
    if one.hint.suggestions:
        described["suggestions"] = one.hint.suggestions
    return described


def _default(value: Any) -> Any:
    if value == float("inf"):
        return msgspec.Raw(b"1e9999")  # as Graphite writes infinity, which JSON lacks
    return value if isinstance(value, (bool, int, float, str)) else value.text
