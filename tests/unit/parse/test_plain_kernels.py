"""The golden cases once more with the kernels as plain Python, which is how they are looked at in a debugger."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).with_name("test_golden_lines.py")


@pytest.mark.timeout(300)
def test_kernels_that_are_not_compiled_pass_the_golden_cases():
    # Words wrap round here as they do when compiled; only NumPy says so.
    quietly = ["-W", "ignore:overflow encountered:RuntimeWarning"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *quietly, str(CASES)],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
