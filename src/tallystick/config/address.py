"""Addresses as the config spells them; `tallystick.model.address` says what they are, for those who load no config."""

from tallystick.model.address import (
    SCHEMES,
    SERVER_SCHEMES,
    Address,
    Group,
    host_port,
    is_everywhere,
    is_group,
    is_loopback,
)

__all__ = [
    "SCHEMES",
    "SERVER_SCHEMES",
    "Address",
    "Group",
    "host_port",
    "is_everywhere",
    "is_group",
    "is_loopback",
]
