r"""collectd's network protocol: packets of parts, over UDP.

::

    packet = *part
    part   = type[2] length[2] *OCTET                  length counts all of the part; numbers are big-endian
    text   = 0x0000 host | 0x0002 plugin | 0x0003 its instance | 0x0004 type | 0x0005 its instance   ends with a zero
    time   = 0x0001 seconds[8] | 0x0008 units of 2**-30 seconds[8]
    values = 0x0006 number[2] *kind *value[8]          kind: 0 COUNTER, 1 GAUGE (little-endian), 2 DERIVE, 3 ABSOLUTE

Texts and times go for all values behind them in their packet. A packet may be signed or encrypted
(`tallystick.parse.collectd.seals`).

- **Names** are those that collectd's plugin ``write_graphite`` makes, with its options: ``host.plugin-instance.type-
  instance``, and the value's own name behind it where a type has several. What these are called is said by ``types.db``
  (`tallystick.parse.collectd.types`); several values of a type that is not in there are rejected, a single one needs no
  name of its own.
- **Kinds.** GAUGE is a gauge, DERIVE and COUNTER are cumulative, ABSOLUTE (what was counted since it was last read) is
  a counter. ``NaN``, by which a plugin says that it has no value, is rejected.
- **Counting.** Each value is one sample, and is accepted or rejected by itself. A notification is one, and rejected: no
  series can hold it. A packet that is not sealed as it should be counts as one, and so does what follows a part whose
  length cannot be right. Intervals and unknown parts count nothing.

Where this differs from collectd: texts may be of any length that a name has room for, and a semicolon is escaped.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Listener
from tallystick.config.collectd import WriteGraphite
from tallystick.kernels.collectd import STATE_SIZE, parse_packets
from tallystick.kernels.names import NameTable
from tallystick.model.reason import Reason
from tallystick.parse.collectd.naming import escape_of, naming_of
from tallystick.parse.collectd.seals import Level, Packets, Seals
from tallystick.parse.collectd.told import texts_of, told_room
from tallystick.parse.collectd.types import Sources, compiled, known_types
from tallystick.parse.collectd.users import Users
from tallystick.parse.contract import Parsed, Rejects
from tallystick.parse.messages import MessageParser
from tallystick.parse.registry import protocol

_PACKET_BYTES_MAX = 1 << 16


@protocol("collectd")
class CollectdParser(MessageParser):
    """collectd's packets.

    Parameters
    ----------
    types
        Names and kinds of the values of each type; by default what `known_types` knows.
    options
        How series are named.
    seals
        What is demanded of packets.
    """

    sample_bytes_min = 9

    def __init__(
        self,
        line_bytes_max: int = _PACKET_BYTES_MAX,
        types: Mapping[str, Sources] | None = None,
        options: WriteGraphite | None = None,
        seals: Seals | None = None,
    ) -> None:
        super().__init__(line_bytes_max)
        options = options or WriteGraphite()
        self._naming = naming_of(options)
        self._types = compiled(known_types() if types is None else types, escape_of(options))
        self._seals = seals or Seals()
        self._state = np.zeros(STATE_SIZE, np.int64)
        self._told = told_room()
        self._faults = np.zeros(0, np.uint8)

    @classmethod
    def configured(cls, listener: Listener) -> Self:
        """A parser for a listener.

        Raises
        ------
        ValueError
            If a file that it names cannot be used.
        """
        users = Users(Path(listener.auth_file).expanduser()) if listener.auth_file else None
        return cls(
            listener.line_bytes_max or _PACKET_BYTES_MAX,
            known_types(Path(file).expanduser() for file in listener.types_db),
            listener.write_graphite,
            Seals(Level.parse(listener.security), users),
        )

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
        starts = np.asarray(offsets, np.int64)
        packets = self._seals.opened(buffer, starts, np.asarray(lengths, np.int32))
        packets.faults[packets.lengths > self.line_bytes_max] = Reason.FRAME_LONG
        self._faults = packets.faults
        parsed = super()._run(
            packets.buffer,
            packets.offsets,
            packets.lengths,
            names,
            now_ms,
            consumed=consumed,
            skipping=skipping,
            fault=fault,
        )
        if not parsed.rejects.total:
            return parsed
        return replace(parsed, rejects=self._placed(parsed.rejects, packets, starts))

    def _placed(self, rejects: Rejects, packets: Packets, starts: NDArray[np.int64]) -> Rejects:
        """The rejects with what is told of them, each lying at the start of the datagram that it came in."""
        of = np.searchsorted(packets.offsets, rejects.offset, side="right") - 1
        return replace(rejects, offset=starts[of], texts=texts_of(self._told, len(of)))

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        return parse_packets(
            buffer,
            starts,
            sizes,
            self._faults,
            names.arrays,
            self._rows,
            self._types,
            self._naming,
            self._state,
            self._told,
        )
