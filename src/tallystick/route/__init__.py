"""From names as they were sent to series: normal form, rules, and one look-up a sample after that."""

from tallystick.route.facts import Facts
from tallystick.route.further import AS_SENT, Multiplied
from tallystick.route.naming import Naming
from tallystick.route.own import shown, shown_names, shown_text
from tallystick.route.routed import Routed, RouteRejects, Rows
from tallystick.route.router import EXAMPLES_MAX, Create, Refuse, Router
from tallystick.route.walk import Decision

__all__ = [
    "AS_SENT",
    "EXAMPLES_MAX",
    "Create",
    "Decision",
    "Facts",
    "Multiplied",
    "Naming",
    "Refuse",
    "RouteRejects",
    "Routed",
    "Router",
    "Rows",
    "shown",
    "shown_names",
    "shown_text",
]
