"""Senders of the native protocol, for tests: frames by hand, and what a sender makes of samples."""

from collections.abc import Sequence

import numpy as np

from tallystick.kernels.packed import padded
from tallystick.model.kind import Kind
from tallystick.model.tally import TallyBatch
from tallystick.native import messages
from tallystick.native.messages import Name, Slot
from tallystick.parse import NameTable, Parsed, Parser


def conversation(agent: str, run: str, named: Sequence[tuple[str, Kind]], *batches: bytes, token: str = "") -> bytes:
    """Frames of a connection from its beginning."""
    parts = [messages.hello(agent, run, token), messages.names(0, [Name(*name) for name in named]), *batches]
    return b"".join(messages.framed(part) for part in parts)


def parsed(parser: Parser, text: bytes, names: NameTable | None = None, *, final: bool = False) -> Parsed:
    """What a parser makes of bytes."""
    return parser.parse(
        padded(text), len(text), NameTable() if names is None else names, 1_700_000_000_000, final=final
    )


def slots_of(batch: TallyBatch, names: list[str]) -> list[Slot]:
    """Rows whose ids are positions in `names`."""
    s = batch.spread
    numbers = np.stack([s.count, s.sum, s.m2, s.min, s.max], axis=1).tolist()
    single = [
        n[0] == 1.0 and n[2] == 0.0 and last == n[1] for n, last in zip(numbers, batch.last.tolist(), strict=True)
    ]
    made = []
    for k, name in enumerate(batch.ids.tolist()):
        kind = Kind(int(batch.kind[k]))
        one = batch.take(np.array([k]))
        buckets: list[tuple[int, float]] = []
        if one.histograms is not None:
            buckets = list(zip(one.histograms.bucket.tolist(), one.histograms.weight.tolist(), strict=True))
        sketch = one.sketches.data.tobytes() if one.sketches is not None else b""
        spread = None if single[k] or kind is Kind.SET else tuple(numbers[k])
        made.append(Slot(names[name], kind, int(batch.timestamp[k]), float(batch.last[k]), spread, buckets, sketch))
    return made
