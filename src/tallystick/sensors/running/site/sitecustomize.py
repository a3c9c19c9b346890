"""Loaded by Python before the first line of each program that ``tallystick run`` begins.

Whatever goes wrong here is told in a line, and the program runs as it would without it.

The interpreter need not be the one that Tallystick is installed for: it is loaded from where this file is.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_TALLYSTICK = _HERE.parents[2]


def _begin() -> None:
    if importlib.util.find_spec("tallystick") is None:
        spec = importlib.util.spec_from_file_location(
            "tallystick", _TALLYSTICK / "__init__.py", submodule_search_locations=[str(_TALLYSTICK)]
        )
        if spec is None or spec.loader is None:
            raise RuntimeError(f"there is no tallystick in {_TALLYSTICK}")
        sys.modules["tallystick"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    importlib.import_module("tallystick.sensors.running").begin()


def _load_next() -> None:
    """Load the ``sitecustomize`` that Python would have found without us."""
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != _HERE]
    importlib.invalidate_caches()
    own = sys.modules.pop("sitecustomize")
    try:
        importlib.import_module("sitecustomize")
    except ModuleNotFoundError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault("sitecustomize", own)


try:
    _begin()
except Exception as error:
    print(f"tallystick: cannot count what this program does: {error}", file=sys.stderr)
_load_next()
