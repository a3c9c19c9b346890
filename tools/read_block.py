"""Print the slots of a series (by its number) in a block; written from docs/internals/format.md alone."""

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xxhash
from pcodec import standalone

SPREAD, HISTOGRAM, SKETCH, SLOT_LIST, CODED = 1, 2, 4, 8, 16
EXTENT = 16 * 1024


def check(what: str, data: bytes, expected: int) -> None:
    if xxhash.xxh3_64_intdigest(data) != expected:
        sys.exit(f"cannot trust the {what}: it does not match its checksum")


def column(page: bytes, at: int, dtype: str, n: int, coded: bool) -> tuple[np.ndarray, int]:
    if not coded:
        return np.frombuffer(page, dtype, n, at), at + n * np.dtype(dtype).itemsize
    how, size = struct.unpack_from("<BI", page, at)
    body, end = page[at + 5 : at + 5 + size], at + 5 + size
    values = standalone.simple_decompress(body) if how == 1 else np.frombuffer(body, dtype)
    return (np.repeat(values, n) if how == 2 else values), end


def slots(path: Path, series: int) -> Iterator[dict[str, object]]:
    data = path.read_bytes()
    size, footer_sum, magic = struct.unpack_from("<IQ8s", data, len(data) - 20)
    if data[:8] != b"TLYBLK01" or magic != b"TLYBLK01":
        sys.exit(f"cannot read {path}: it is no block of version 1")
    check("footer", data[-20 - size : -20], footer_sum)
    about = json.loads(data[-20 - size : -20])
    index, n = 8 + about["page_bytes"], about["series"]
    check("index", data[index : -20 - size], int(about["index_checksum"], 16))
    sums = np.frombuffer(data, "<u8", -(-about["page_bytes"] // EXTENT), index)
    begins = np.frombuffer(data, "<u4", n + 1, index + 8 * len(sums))
    ids = np.frombuffer(data, "<i4", n, index + 8 * len(sums) + 4 * (n + 1))
    for k in np.flatnonzero(ids == series).tolist():
        begin, end = 8 * int(begins[k]), 8 * int(begins[k + 1])
        for e in range(begin // EXTENT, -(-end // EXTENT)):
            check(f"extent {e}", data[8 + e * EXTENT : min(8 + (e + 1) * EXTENT, index)], int(sums[e]))
        page = data[8 + begin : 8 + end]
        flags, _, rows, first, stride = struct.unpack_from("<BBHHH", page)
        listed, coded, at = bool(flags & SLOT_LIST), bool(flags & CODED), 8
        numbers = np.frombuffer(page, "<u2", rows, at) if listed else first + stride * np.arange(rows)
        at += (2 * rows + 7) // 8 * 8 if listed else 0
        columns = {}
        for name in ["last", "count", "sum", "m2", "min", "max"][: 6 if flags & SPREAD else 1]:
            columns[name], at = column(page, at, "<f8", rows, coded)
        for flag, name, parts in ((HISTOGRAM, "buckets", ["<i4", "<f8"]), (SKETCH, "sketch", ["u1"])):
            if flags & flag:
                lengths, at = column(page, at, "<u4", rows, coded)
                columns[name] = [()] * rows
                for dtype in parts:
                    values, at = column(page, at, dtype, int(lengths.sum()), coded)
                    pieces = np.split(values, np.cumsum(lengths)[:-1].astype(int))
                    columns[name] = [(*c, v.tolist()) for c, v in zip(columns[name], pieces, strict=True)]
        for i, number in enumerate(numbers.tolist()):
            values = {name: v[i] if isinstance(v, list) else float(v[i]) for name, v in columns.items()}
            yield {"time_s": (about["start_slot"] + number) * about["step_s"]} | values


if __name__ == "__main__":
    for slot in slots(Path(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(slot))
