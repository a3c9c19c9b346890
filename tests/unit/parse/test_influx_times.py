"""InfluxDB's timestamps in all units, up to where 64 bits end and beyond."""

import pytest

from tallystick.model.reason import Reason
from tallystick.parse import NameTable, padded
from tallystick.parse.influx import PRECISIONS_NS, InfluxParser

MS_MAX = 9_000_000_000_000_000
COUNTS = (
    *(0, 1, 1_700_000_000, 10**15, MS_MAX, MS_MAX + 1, 10**17, 10**18 - 1, 10**18),
    *((1 << 63) - 1, 1 << 63, 9_999_999_999_999_999_999, 1 << 64, (1 << 64) + 1_700_000_000, 10**40),
)


@pytest.mark.parametrize("unit", PRECISIONS_NS)
@pytest.mark.parametrize("count", COUNTS)
def test_a_timestamp_is_exact_or_none(unit: str, count: int) -> None:
    ms = count * PRECISIONS_NS[unit] // 1_000_000
    line = b"a v=1 %d" % count
    parsed = InfluxParser(unit_ns=PRECISIONS_NS[unit]).parse(padded(line), len(line), NameTable(), 0, final=True)
    if ms > MS_MAX or count >= 1 << 63:
        assert parsed.rejects.reason.tolist() == [Reason.TIMESTAMP]
    else:
        assert parsed.batch.timestamp.tolist() == [ms]
