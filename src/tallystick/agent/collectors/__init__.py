"""A file for each collector; `tallystick.agent.collecting.registry.registered` finds them."""
