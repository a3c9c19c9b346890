"""Says in one sentence what is wrong with the Python that is about to be used, before pip says it in forty."""

import importlib.util
import shutil
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - older ones are what this is for
    sys.exit(
        f"cannot use Python {sys.version.split()[0]} ({sys.executable}): expected 3.11 or later; "
        "install one and run `make PYTHON=python3.11 ...`"
    )
if importlib.util.find_spec("ensurepip") is None:
    sys.exit("cannot make a virtual environment: Python's venv is missing; on Debian `apt-get install python3-venv`")
if shutil.which("npm") is None:
    sys.exit("cannot build the pages: npm is missing; install Node.js 20 or later")
