"""Tallystick: a metrics platform whose numbers add up."""

__version__ = "0.1.0"
