"""Which datagram or frame each sample came in."""

import numpy as np
import pytest

from tallystick.kernels.names import NameTable
from tallystick.parse import padded, protocols

NOW_MS = 1_700_000_000_000

DATAGRAMS = {
    "carbon": [b"a 1 1\nb 2 1", b"", b"bad\nc 3 1", b"d " + b"9" * 400 + b" 1", b"e 1e999 1\nf 1 1"],
    "statsd": [b"a:1|c\nb:2|c", b"", b"bad\nc:3|c", b"d:" + b"9" * 400 + b"|c", b"e:1e999|c\nf:1|c"],
    "influx": [b"a v=1\nb v=2", b"", b"bad\nc v=3", b"d v=" + b"9" * 400, b"e v=1e999\nf v=1"],
}


@pytest.mark.parametrize("protocol", DATAGRAMS)
def test_each_sample_and_each_reject_can_be_told_by_its_datagram(protocol):
    datagrams = DATAGRAMS[protocol]
    lengths = np.array([len(d) for d in datagrams], np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    parser = protocols()[protocol]()
    parsed = parser.parse_datagrams(padded(b"".join(datagrams)), offsets, lengths, NameTable(), NOW_MS)
    assert parsed.began.tolist() == [[0, 0], [2, 2], [2, 2], [3, 4], [3, 5]]
    assert (len(parsed.batch), parsed.lines) == (4, 7)


def test_frames_have_spans_too():
    parser = protocols()["carbon-pickle"]()
    frame = b"(lp0\n(S'a'\n(I1\nI2\ntp1\ntp2\na."
    data = (len(frame).to_bytes(4, "big") + frame) * 3
    parsed = parser.parse(padded(data), len(data), NameTable(), NOW_MS)
    assert parsed.began.tolist() == [[0, 0], [1, 1], [2, 2]]
