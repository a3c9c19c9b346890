"""What happens in a program that ``tallystick run`` begins: it is counted without a line of its own.

The command puts a folder with a ``sitecustomize`` on ``PYTHONPATH`` and then becomes the program. Python loads that
file before the program's first line, and it calls `begin`: what is imported later is made to count as it is imported.
"""

from pathlib import Path

from tallystick.sensors.program import app_of
from tallystick.sensors.running.begin import begin

__all__ = ["SITE", "app_of", "begin"]

SITE = Path(__file__).parent / "site"
"""The folder with the ``sitecustomize``."""
