"""Remote write as the protobuf library reads it: the twin of `tallystick.kernels.remote_write`."""

import math
import struct

from prometheus_messages import Request, WriteRequest
from reference import labels
from reference.outcome import Outcome, Sample
from tallystick.model.reason import Reason

STALE = struct.pack("<Q", 0x7FF0000000000002)


def parse(message: bytes) -> Outcome:
    """A request of 1.0 that the library can read; its native histograms are left out."""
    outcome = Outcome()
    for series in WriteRequest.FromString(message).timeseries:
        pairs = [(label.name, label.value) for label in series.labels]
        take(series, pairs, "unknown", outcome)
    return outcome


def parse_2(message: bytes) -> Outcome:
    """The same of 2.0."""
    outcome = Outcome()
    request = Request.FromString(message)
    for series in request.timeseries:
        refs = series.labels_refs
        pairs: list[tuple[bytes, bytes]] | Reason = Reason.TAG
        if len(refs) % 2 == 0 and all(ref < len(request.symbols) for ref in refs):
            words = [request.symbols[ref] for ref in refs]
            pairs = list(zip(words[::2], words[1::2], strict=True))
        type_ = series.metadata.type
        take(series, pairs, labels.TYPES[type_] if 0 <= type_ < 8 else "unknown", outcome)
    return outcome


def take(series: object, pairs: list[tuple[bytes, bytes]] | Reason, type_: str, outcome: Outcome) -> None:
    name = pairs if isinstance(pairs, Reason) else named(pairs)
    for sample in series.samples:
        value = sample.value
        if isinstance(name, Reason):
            outcome.reject(name)
        elif sample.timestamp <= 0:
            outcome.reject(Reason.TIMESTAMP)
        elif struct.pack("<d", value) == STALE:
            outcome.reject(Reason.STALE)
        elif not math.isfinite(value):
            outcome.reject(Reason.VALUE_NOT_FINITE)
        else:
            outcome.take(Sample(name[0], sample.timestamp, value, 1.0, labels.kind_of(name[1], type_)))


def named(pairs: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes] | Reason:
    if any(not key for key, _ in pairs):
        return Reason.TAG
    return labels.name_of(pairs)
