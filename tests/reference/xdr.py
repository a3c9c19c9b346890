"""Ganglia's datagrams written, for tests."""

import struct

FORMATS = {"ushort": 129, "short": 130, "int": 131, "uint": 132, "string": 133, "float": 134, "double": 135}
SLOPES = {"zero": 0, "positive": 1, "negative": 2, "both": 3, "unspecified": 4, "derivative": 5}


def text(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data + b"\0" * (-len(data) % 4)


def metric_id(host: bytes, name: bytes, spoofed: bool) -> bytes:
    return text(host) + text(name) + struct.pack(">I", spoofed)


def metadata(
    host: bytes,
    name: bytes,
    kind: bytes = b"float",
    slope: str = "both",
    *,
    units: bytes = b"",
    tmax: int = 60,
    dmax: int = 0,
    spoofed: bool = False,
    extra: tuple[tuple[bytes, bytes], ...] = ((b"GROUP", b"env"),),
) -> bytes:
    pairs = b"".join(text(key) + text(value) for key, value in extra)
    head = struct.pack(">I", 128) + metric_id(host, name, spoofed)
    numbers = struct.pack(">IIII", SLOPES[slope], tmax, dmax, len(extra))
    return head + text(kind) + text(name) + text(units) + numbers + pairs


def value(host: bytes, name: bytes, form: str, what: float | bytes, *, spoofed: bool = False) -> bytes:
    head = struct.pack(">I", FORMATS[form]) + metric_id(host, name, spoofed)
    if isinstance(what, bytes):
        return head + text(b"%s") + text(what)
    if form in ("float", "double"):
        return head + text(b"%.1f") + struct.pack(">f" if form == "float" else ">d", what)
    return head + text(b"%u") + struct.pack(">i" if what < 0 else ">I", int(what))


def request(host: bytes, name: bytes) -> bytes:
    return struct.pack(">I", 136) + metric_id(host, name, False)
