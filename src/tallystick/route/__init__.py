"""From names as they were sent to series: normal form, rules (rename, block), and one look-up a sample after that."""

from tallystick.route.router import EXAMPLES_MAX, Create, Refuse, Routed, Router, RouteRejects, Rows
from tallystick.route.rules import Rule

__all__ = ["EXAMPLES_MAX", "Create", "Refuse", "RouteRejects", "Routed", "Router", "Rows", "Rule"]
