"""Writes over HTTP: bodies are received and decoded within limits, parsed, and answered once they are safe on disk.

Each family of senders has a module here with a function ``routes(writing)``; `Writing` is what they share.
"""

from starlette.routing import BaseRoute

from tallystick.web.writes import collectd, influx, native, opentsdb, otlp, prometheus, pushgateway
from tallystick.web.writes.writing import Writing

_FAMILIES = (native, collectd, influx, opentsdb, otlp, prometheus, pushgateway)


def writing_routes(writing: Writing) -> list[BaseRoute]:
    """The routes of all families."""
    return [route for family in _FAMILIES for route in family.routes(writing)]
