"""Where this host's numbers lie, as the config says."""

import re

from tallystick.config import Agent
from tallystick.native import names


def place_of(agent: Agent) -> names.Place:
    """Environment, class and name of this host."""
    return names.here(
        environment=agent.environment, host_class=agent.host_class, host=agent.host, class_rules=agent.class_rules
    )


def prefix_of(agent: Agent) -> str:
    """What stands before each name that is collected on this host, with its dot."""
    return place_of(agent).name(agent.prefix) + "."


def agent_word(agent: Agent) -> str:
    """Who the agent of this host is to its servers: the name of the host."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", place_of(agent).host)[:64] or "agent"
