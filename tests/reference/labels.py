"""Names and kinds of Prometheus' series: the twin of `tallystick.kernels.labels`."""

import re

from reference.carbon import is_utf8
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

UNFIT = rb"[\x00-\x20\x7f;]"
TYPES = ["unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"]


def name_of(labels: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes] | Reason:
    """Name of the series of some labels and of its metric, or why there is none."""
    path = b""
    for key, value in labels:
        if key == b"__name__":
            path = clean(value, UNFIT)
    return named(path, [(key, value) for key, value in labels if key != b"__name__"])


def named(
    path: bytes, labels: list[tuple[bytes, bytes]], taken: frozenset[bytes] = frozenset(), tags: bytes = b""
) -> tuple[bytes, bytes] | Reason:
    """The same of a metric and the other labels; `tags` stand behind all."""
    name = path
    for key, value in labels:
        if value:
            word = b"exported_" * (key in taken | {b"name"}) + clean(key, rb"[\x00-\x20\x7f;=!^]")
            name += b";" + word + b"=" + re.sub(rb"^~", b"_", clean(value, UNFIT))
    name += tags
    if len(name) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    if not path:
        return Reason.NAME_EMPTY
    if not is_utf8(name):
        return Reason.NAME_BYTES
    return name, path


def clean(text: bytes, unfit: bytes) -> bytes:
    return re.sub(unfit, b"_", text)


def kind_of(path: bytes, type_: str) -> int:
    if type_ in ("gauge", "gaugehistogram", "info", "stateset") or ended(path, b"_created"):
        return int(Kind.GAUGE)
    if type_ == "counter" or ended(path, b"_count", b"_sum", b"_bucket"):
        return int(Kind.CUMULATIVE)
    if ended(path, b"_total") and type_ == "unknown":
        return int(Kind.CUMULATIVE)
    return int(Kind.GAUGE)


def ended(path: bytes, *endings: bytes) -> bool:
    return any(path.endswith(ending) and path != ending for ending in endings)
