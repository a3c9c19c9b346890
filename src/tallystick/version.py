"""The version of Tallystick, for those that must not import more."""

__version__ = "0.1.0"
