"""What was read of the answer of somebody who is asked now and then: by Python, where no rate asks for a kernel.

It is made without the table of names, whose lock everybody needs: a long answer holds up nobody.
"""

import math
import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason
from tallystick.model.sample import SampleBatch
from tallystick.parse.contract import REJECTS_NOTED_MAX
from tallystick.parse.meant import Meant

_UNFIT = re.compile(r"[\x00-\x20\x7f;:]")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NUMBER_CHARACTERS_MAX = 400
_TEXT_CHARACTERS_MAX = 256
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """Samples and what was not taken.

    Parameters
    ----------
    names
        Of the series.
    samples
        Their ids are positions in `names`.
    reject_counts : int64[len(Reason)]
        Unusable values, by reason.
    rejects
        Why the first `REJECTS_NOTED_MAX` of them were not taken, and their texts.
    meant
        What was said of the series beside their numbers.
    """

    names: list[bytes]
    samples: SampleBatch
    reject_counts: NDArray[np.int64]
    rejects: list[tuple[Reason, bytes]]
    meant: list[Meant]

    @property
    def seen(self) -> int:
        """Samples and unusable values together."""
        return len(self.samples) + int(self.reject_counts.sum())

    def without(self, rows: NDArray[np.bool_]) -> "Reading":
        """The same without the samples that a mask selects."""
        return replace(self, samples=self.samples.take(~rows))


class ReadingMaker:
    """Gathers a `Reading`."""

    def __init__(self) -> None:
        self._entries: dict[bytes, int] = {}
        self._ids: list[int] = []
        self._at_ms: list[int] = []
        self._values: list[float] = []
        self._kinds: list[int] = []
        self._reject_counts = np.zeros(len(Reason), np.int64)
        self._rejects: list[tuple[Reason, bytes]] = []
        self._meant: dict[str, Meant] = {}

    def reject(self, reason: Reason, text: str) -> None:
        """Count a value that cannot be used."""
        self._reject_counts[reason] += 1
        if len(self._rejects) < REJECTS_NOTED_MAX:
            self._rejects.append((reason, text[:_TEXT_CHARACTERS_MAX].encode("utf-8", "replace")))

    def add(self, name: str, value: str, at_ms: int, kind: Kind) -> Reason:
        """Add a sample if its value is a number and its name not too long; else why not, which is not counted."""
        if len(value) > _NUMBER_CHARACTERS_MAX or not _NUMBER.fullmatch(value):
            return Reason.VALUE_NOT_FINITE if _NOT_FINITE.fullmatch(value) else Reason.VALUE
        number, encoded = float(value), name.encode("utf-8", "replace")
        if not math.isfinite(number):
            return Reason.VALUE_NOT_FINITE
        if len(encoded) > NAME_BYTES_MAX:
            return Reason.NAME_LONG
        self._ids.append(self._entries.setdefault(encoded, len(self._entries)))
        self._at_ms.append(at_ms)
        self._values.append(number)
        self._kinds.append(kind)
        return Reason.NONE

    def describe(self, name: str, *, unit: str = "", description: str = "") -> None:
        """Note what is said of a series; what is empty leaves what was said before."""
        known = self._meant.get(name, Meant(name, "", ""))
        self._meant[name] = Meant(name, unit.strip() or known.unit, description.strip() or known.description)

    def reading(self) -> Reading:
        """Everything so far."""
        samples = SampleBatch.of(self._ids, self._at_ms, self._values, kind=self._kinds)
        meant = [one for one in self._meant.values() if one.unit or one.description]
        return Reading(list(self._entries), samples, self._reject_counts, self._rejects, meant)


def host_component(host: str) -> str:
    """A host as one component of a name, as gmetad writes it for Graphite: small letters, ``_`` for dots."""
    return fitting(host).replace(".", "_").lower()


def fitting(text: str) -> str:
    """`text` as part of a name: what a name cannot hold becomes ``_``, dots part it."""
    return _UNFIT.sub("_", text)
