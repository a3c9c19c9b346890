"""Tests say the same each time; ``make fuzz`` has Hypothesis throw the dice anew. No example has to be quick."""

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("dice", derandomize=False, print_blob=True, deadline=None)
settings.load_profile("dice" if os.environ.get("FUZZ") else "same")
