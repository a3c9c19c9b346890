"""What a body that becomes a thousand times its size costs: no more than the limit, as the system counts memory."""

import subprocess
import sys

import pytest

BOMB = """
import gzip, resource, sys, zlib
import cramjam, zstandard
from tallystick.web.errors import BodyError
from tallystick.web.writes.bodies import Body
from tallystick.web.writes.decoding import decode

way, limit = sys.argv[1], 8 << 20
zeros = bytes(1 << 20)

def streamed(packer, end):  # half a gigabyte, without ever having it here
    return bytearray(b"".join([packer.compress(zeros) for _ in range(512)]) + end(packer))

bombs = {
    "gzip": lambda: ("gzip", streamed(zlib.compressobj(wbits=31), lambda p: p.flush())),
    "deflate": lambda: ("deflate", streamed(zlib.compressobj(), lambda p: p.flush())),
    "zstd": lambda: ("zstd", streamed(zstandard.ZstdCompressor().compressobj(), lambda p: p.flush())),
    "zstd with a wide window": lambda: ("zstd", bytearray(bytes.fromhex("28b52ffd0098") + bytes([1, 0, 0x10, 0]))),
    "zstd that declares": lambda: ("zstd", bytearray(b"\\x28\\xb5\\x2f\\xfd\\xe0" + (1 << 40).to_bytes(8, "little"))),
    "snappy that declares": lambda: ("snappy", bytearray(b"\\xff\\xff\\xff\\xff\\x0fabc")),
    "snappy": lambda: ("snappy", bytearray(cramjam.snappy.compress_raw(bytes(limit + 1)))),
}
encoding, body = bombs[way]()
assert len(body) < 1 << 20
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decode(Body(body, encoding), limit, 16)
except BodyError as error:
    print(error.status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
WAYS = {
    "gzip": 413,
    "deflate": 413,
    "zstd": 413,
    "zstd with a wide window": 400,
    "zstd that declares": 413,
    "snappy that declares": 413,
    "snappy": 413,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_bomb_costs_no_more_memory_than_twice_the_limit(way: str) -> None:
    done = subprocess.run([sys.executable, "-c", BOMB, way], capture_output=True, text=True, check=True)
    status, grown_kb = (int(word) for word in done.stdout.split())
    assert status == WAYS[way]
    assert grown_kb < (16 << 20) >> 10  # and not half a gigabyte
