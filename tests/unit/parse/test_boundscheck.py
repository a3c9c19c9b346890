"""The golden cases once more with every array access checked.

Words of eight bytes are read by address and are not checked: they may reach up to seven bytes behind what is asked for,
which is what `PADDING` is for.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CASES = (
    Path(__file__).with_name("test_golden_lines.py"),
    Path(__file__).parents[2] / "property" / "test_carbon_protobuf_twin.py",
    Path(__file__).parents[2] / "property" / "test_collectd_twin.py",
    Path(__file__).parents[2] / "property" / "test_pickle_twin.py",
    Path(__file__).parents[2] / "property" / "test_any_bytes.py",
)


@pytest.mark.long
@pytest.mark.timeout(1200)  # where all kernels are compiled anew, which the tests themselves have no time for
def test_no_golden_case_reads_or_writes_beyond_an_array():
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1"}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--timeout=0", "-p", "no:cacheprovider", *map(str, CASES)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
