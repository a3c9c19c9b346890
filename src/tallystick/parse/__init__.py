"""Bytes to columns: each protocol's parser, without I/O.

A parser takes what a socket gave and yields a `Parsed`: a `SampleBatch` whose ids are entries of a `NameTable`, and
the `Rejects`, each with its reason. A bad line costs only itself. Adding a protocol is one file here, which registers
itself by ``@protocol("name")``, and one folder of cases in ``tests/golden``.
"""

from tallystick.kernels.names import NameTable
from tallystick.kernels.packed import padded
from tallystick.parse.contract import LINE_BYTES_MAX, PADDING, Parsed, Parser, Rejects
from tallystick.parse.registry import protocol, protocols

__all__ = [
    "LINE_BYTES_MAX",
    "PADDING",
    "NameTable",
    "Parsed",
    "Parser",
    "Rejects",
    "padded",
    "protocol",
    "protocols",
]
