r"""What collectd's plugin ``write_http`` posts: value lists as JSON, or as commands.

::

    [{"values": [1.5, null], "dstypes": ["gauge", "derive"], "dsnames": ["left", "right"], "time": 1480063672.113,
      "interval": 10.0, "host": "web1", "plugin": "p", "plugin_instance": "", "type": "t", "type_instance": ""}]

    PUTVAL web1/cpu-0/cpu-user interval=10.000 1480063672.113:42

- **Names** and kinds are those of packets (`tallystick.parse.collectd.packets`). JSON brings the names and kinds of
  values along; of commands ``types.db`` says them, and a type that is not in it is rejected.
- **Rates.** With ``StoreRates`` values are rates and their types say otherwise: who makes the parser must know.
- **Counting.** Each value is one sample, and is accepted or rejected by itself; ``null``, ``U`` and ``nan`` are no
  values. A list that is bad as a whole counts as one, and so does a notification. A body that is no JSON counts as one.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tallystick.config.collectd import WriteGraphite
from tallystick.kernels.collectd_lists import parse_lists
from tallystick.kernels.names import NameTable
from tallystick.model.reason import Reason
from tallystick.parse.collectd.decoding import gather_commands, gather_json
from tallystick.parse.collectd.gathering import Gathering
from tallystick.parse.collectd.naming import escape_of, naming_of
from tallystick.parse.collectd.told import texts_of, told_room
from tallystick.parse.collectd.types import Sources, known_types
from tallystick.parse.contract import Parsed
from tallystick.parse.messages import MessageParser
from tallystick.parse.registry import protocol

BODY_BYTES_MAX = 4 << 20
"""A longer body is not read: decoded it would take some thirty times as much memory. The plugin posts 4 KiB."""


@protocol("collectd-http")
class CollectdPostParser(MessageParser):
    """Bodies of ``write_http``: one that begins with a bracket is JSON, any other one is commands.

    Parameters
    ----------
    types
        Names and kinds of the values of each type; by default what `known_types` knows.
    options
        How series are named.
    rates
        Whether all values are rates.
    """

    sample_bytes_min = 1

    def __init__(
        self,
        line_bytes_max: int = BODY_BYTES_MAX,
        types: Mapping[str, Sources] | None = None,
        options: WriteGraphite | None = None,
        *,
        rates: bool = False,
    ) -> None:
        super().__init__(line_bytes_max)
        options = options or WriteGraphite()
        self._naming = naming_of(options)
        self._escape = escape_of(options)
        self._types = known_types() if types is None else types
        self._rates = rates
        self._told = told_room()
        self._lists = Gathering().lists(self._escape)

    def _run(
        self,
        buffer: NDArray[np.uint8],
        offsets: NDArray[np.int64] | list[int],
        lengths: NDArray[np.int32] | list[int],
        names: NameTable,
        now_ms: int,
        *,
        consumed: int,
        skipping: bool = False,
        fault: tuple[Reason, int, int] | None = None,
    ) -> Parsed:
        bodies = [buffer[at : at + size].tobytes() for at, size in zip(offsets, lengths, strict=True)]
        gathering = Gathering()
        sizes = []  # the base makes room for a sample a byte: here these are values
        for body in bodies:
            before = gathering.begin_body()
            self._gather(body, gathering, now_ms)
            sizes.append(gathering.size - before)
        self._lists = gathering.lists(self._escape)
        parsed = super()._run(
            buffer, list(offsets), sizes, names, now_ms, consumed=consumed, skipping=skipping, fault=fault
        )
        if not parsed.rejects.total:
            return parsed
        texts = texts_of(self._told, len(parsed.rejects.offset))
        return replace(parsed, rejects=replace(parsed.rejects, texts=texts))

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        return parse_lists(self._lists, names.arrays, self._rows, self._naming, self._told)

    def _gather(self, body: bytes, gathering: Gathering, now_ms: int) -> None:
        if len(body) > self.line_bytes_max:
            gathering.refuse(Reason.BODY_LONG, f"{len(body)} bytes")
        elif body.lstrip()[:1] in (b"[", b"{"):
            gather_json(body, gathering, rates=self._rates)
        else:
            gather_commands(body, gathering, self._types, now_ms / 1000, rates=self._rates)
