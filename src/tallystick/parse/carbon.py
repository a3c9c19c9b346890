r"""Carbon's plaintext protocol: ``name value timestamp``, a line each.

Fields are parted by any run of spaces and tabs, a line may end with ``\r\n``, and there are exactly three fields. The
name may carry Graphite's tags (``disk.used;host=web1``). The value is a decimal number and is read to the same bits as
by Python's ``float``. The timestamp is in seconds since the epoch; a fraction is cut to milliseconds; -1 means now.

Where this differs from carbon: ``nan``, ``inf`` and ``1_000`` are rejected, and so are names with control characters.
"""

from tallystick.kernels.carbon import parse_lines
from tallystick.parse.lines import LineParser
from tallystick.parse.registry import protocol


@protocol("carbon")
class CarbonParser(LineParser):
    """Carbon's plaintext lines; every sample is a gauge of weight 1."""

    _kernel = staticmethod(parse_lines)
    sample_bytes_min = 6
    plain = True
