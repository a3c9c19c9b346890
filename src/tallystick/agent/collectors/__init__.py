"""A file for each collector; `tallystick.agent.registry.registered` finds them."""
