"""What has to answer, looked at from outside: up or down, how fast, and why not.

A kind of check is one file with one `check` line; `watching` makes jobs of the config's ``[[checks]]``, which the
runner of the collectors runs: each look has a thread and a limit, and holds up nobody else.
"""

from tallystick.agent.checks.base import Check, CheckError, Limits
from tallystick.agent.checks.registry import check, kinds_of_checks, watching

__all__ = ["Check", "CheckError", "Limits", "check", "kinds_of_checks", "watching"]
