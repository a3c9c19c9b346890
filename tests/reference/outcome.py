"""What a parser made of its input, in a form in which kernel and twin can be compared."""

import struct
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from tallystick.kernels.names import NameTable
from tallystick.model.reason import Reason
from tallystick.parse import Parsed


@dataclass(frozen=True)
class Sample:
    """One row; floats are compared by their bits."""

    name: bytes
    timestamp_ms: int
    value: float
    weight: float
    kind: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sample) and self.key == other.key

    __hash__ = None

    @property
    def key(self) -> tuple[bytes, int, bytes, float, int]:
        return self.name, self.timestamp_ms, struct.pack("<d", self.value), self.weight, self.kind


@dataclass
class Outcome:
    """Samples in order, and the number of rejects by reason."""

    samples: list[Sample] = field(default_factory=list)
    rejects: Counter[Reason] = field(default_factory=Counter)

    def take(self, result: Sample | Reason) -> None:
        if isinstance(result, Sample):
            self.samples.append(result)
        else:
            self.reject(result)

    def reject(self, reason: Reason) -> None:
        self.rejects[reason] += 1

    def add(self, parsed: Parsed, names: NameTable) -> None:
        """Append what a real parser yielded, checking that nothing was lost."""
        assert parsed.lines == parsed.taken + parsed.rejects.total
        assert len(parsed.rejects.offset) == min(parsed.rejects.total, 256)
        batch = parsed.batch
        columns = (batch.timestamp, batch.value, batch.weight, batch.kind)
        for name, *rest in zip(names.names(batch.ids), *(column.tolist() for column in columns), strict=True):
            self.samples.append(Sample(name, *rest))
        for reason in np.flatnonzero(parsed.rejects.counts).tolist():
            self.rejects[Reason(reason)] += int(parsed.rejects.counts[reason])
