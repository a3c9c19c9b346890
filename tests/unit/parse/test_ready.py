"""A parser that was made ready compiles nothing while others wait for the table of names."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pytest
from bench.loads import payloads_of

import tallystick.kernels
from tallystick.kernels.names import NameTable
from tallystick.parse import padded, protocols
from tallystick.parse.ready import is_ready, make_ready

NOW_MS = 1_700_000_000_000


def compiled() -> Iterator[tuple[str, object]]:
    """The signatures that each kernel is compiled for."""
    for module in iter_modules(tallystick.kernels.__path__):
        for name, value in vars(import_module(f"tallystick.kernels.{module.name}")).items():
            yield from ((f"{module.name}.{name}", one) for one in getattr(value, "signatures", ()))


@pytest.mark.parametrize("protocol", protocols())
def test_nothing_is_compiled_when_data_comes(protocol):
    parser = protocols()[protocol]()
    make_ready(parser)
    assert is_ready(parser)
    names = NameTable()
    names.intern_many([b"a"])
    names.reserve(1 << 16, 1 << 20)
    before = set(compiled())
    for payload in payloads_of(protocol)(100, 300, 1):
        parser.parse(padded(payload), len(payload), names, NOW_MS, final=True)
        sizes = np.array([len(payload)], np.int32)
        parser.parse_datagrams(padded(payload), np.zeros(1, np.int64), sizes, names, NOW_MS)
    assert set(compiled()) - before == set()
