r"""Prometheus' text format (0.0.4) and OpenMetrics (1.0), which what is scraped answers.

::

    line    = metric ["{" [label *("," label) [","]] "}"] value [time] ["#" exemplar]
            / "{" quoted ["," labels] "}" ...
            / "# TYPE" metric type / "# EOF" / "#" comment
    label   = key "=" quoted

- **Names** become Graphite's, as those of `tallystick.parse.remote_write` do: ``up{job="a"}`` is ``up;job=a``. Names of
  metrics and keys that Prometheus' alphabet does not have stand in quotes. ``\\``, ``\"`` and ``\n`` are understood in
  quotes.
- **Kinds.** By the type that ``# TYPE`` tells for the lines behind it, else by the end of the name; see
  `tallystick.kernels.labels`.
- **Values** are decimal numbers; ``NaN`` and infinite ones are rejected.
- **Timestamps** are milliseconds in the text format and seconds in OpenMetrics; without one it is now.
- **Counting.** Each line that is no comment is one sample. A text of OpenMetrics that does not end by ``# EOF`` was
  cut off: that counts as one more, as ``truncated``; so does each line behind it, as ``fields``.

Where this differs from Prometheus: a bad line costs itself and not the whole scrape; exemplars are passed over unread,
in both formats; ``\r\n`` may end a line; whether samples of a metric stand together is not looked at; hexadecimal
numbers are rejected.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ and the OpenMetrics specification
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.exposition import ENDED, STATE_SIZE, ExpositionScratch, parse_lines
from tallystick.kernels.labels import keys_taken, tags_of
from tallystick.kernels.names import NameTable
from tallystick.kernels.rows import NAME_SCRATCH_BYTES
from tallystick.model.reason import Reason
from tallystick.parse.contract import LINE_BYTES_MAX, Parsed
from tallystick.parse.heads import KnownHeads
from tallystick.parse.lines import LineParser
from tallystick.parse.registry import protocol


@protocol("exposition")
class ExpositionParser(LineParser):
    """Prometheus' text format.

    Parameters
    ----------
    labels
        Put to each sample, such as ``job`` and ``instance``.
    exported
        Whether a sample's own label of such a key is kept, as ``exported_...``; else the one given here counts.

    Notes
    -----
    One text may come in pieces; the last is `final`. It belongs to one text until then.
    """

    sample_bytes_min = 4
    seconds: ClassVar[bool] = False

    def __init__(
        self, line_bytes_max: int = LINE_BYTES_MAX, labels: Mapping[str, str] | None = None, *, exported: bool = True
    ) -> None:
        super().__init__(line_bytes_max)
        labels = labels or {}
        self._texts = False
        self._heads = KnownHeads()
        self._scratch = ExpositionScratch(
            state=np.zeros(STATE_SIZE, np.int64),
            family=np.zeros(NAME_SCRATCH_BYTES, np.uint8),
            taken=keys_taken(labels if exported else ()),
            tags=np.frombuffer(tags_of(labels), np.uint8),
        )

    def parse(
        self,
        buffer: NDArray[np.uint8],
        length: int,
        names: NameTable,
        now_ms: int,
        *,
        final: bool = False,
        skipping: bool = False,
    ) -> Parsed:
        """See `tallystick.parse.contract.Parser.parse`."""
        parsed = super().parse(buffer, length, names, now_ms, final=final, skipping=skipping)
        if final:
            if self.seconds and not self._scratch.state[ENDED]:
                self._note(Reason.TRUNCATED, length, 0)
                parsed = replace(parsed, rejects=self._rejects(), lines=parsed.lines + 1)
            self._scratch.state[:] = 0
        return parsed

    def parse_datagrams(
        self,
        buffer: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        lengths: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> Parsed:
        """See `tallystick.parse.contract.Parser.parse_datagrams`; each is a text."""
        self._texts = True
        try:
            return super().parse_datagrams(buffer, offsets, lengths, names, now_ms)
        finally:
            self._texts = False
            self._scratch.state[:] = 0

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        return parse_lines(
            buffer,
            starts,
            sizes,
            self.line_bytes_max,
            names.arrays,
            now_ms,
            self._rows,
            self.seconds,
            self._texts,
            self._scratch,
            self._heads.of(names),
        )


@protocol("openmetrics")
class OpenMetricsParser(ExpositionParser):
    """OpenMetrics."""

    seconds = True
