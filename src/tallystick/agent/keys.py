"""The keys that collectors and checks have of their own, for whoever loads a config."""

from tallystick.agent.checks import kinds_of_checks
from tallystick.agent.collecting.collector import NoSettings
from tallystick.agent.collecting.registry import registered
from tallystick.config import EVERYTHING, Kinds


def kinds() -> Kinds:
    """The further keys of each collector and each kind of check."""
    collectors = {EVERYTHING: NoSettings} | {name: one.settings for name, one in registered().items()}
    return {"collectors": collectors, "checks": kinds_of_checks()}
