r"""What collectd's plugin ``write_http`` posts: value lists as JSON, or as commands.

::

    [{"values": [1.5, null], "dstypes": ["gauge", "derive"], "dsnames": ["left", "right"], "time": 1480063672.113,
      "interval": 10.0, "host": "web1", "plugin": "p", "plugin_instance": "", "type": "t", "type_instance": ""}]

    PUTVAL web1/cpu-0/cpu-user interval=10.000 1480063672.113:42

- **Names** and kinds are those of packets (`tallystick.parse.collectd.packets`). JSON brings the names and kinds of
  values along; of commands ``types.db`` says them, and a type that is not in it is rejected.
- **Rates.** With ``StoreRates`` values are rates and their types say otherwise: who makes the parser must know.
- **Counting.** Each value is one sample, and is accepted or rejected by itself; ``null``, ``U`` and ``nan`` are no
  values. A list that is bad as a whole counts as one, and so does a notification. Of members that are given twice the
  last counts. A body that begins like JSON and is none in UTF-8, no list, or nested deeper than `DEPTH_MAX`, counts as
  one, and nothing of it is taken.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tallystick.config.collectd import WriteGraphite
from tallystick.kernels import rows as at
from tallystick.kernels.collectd_json import LIST_FULL, NOT_JSON, STATE_SIZE, parse_post
from tallystick.kernels.collectd_lists import Lists, parse_lists
from tallystick.kernels.collectd_names import TEXTS_SIZE
from tallystick.kernels.collectd_values import TOLD_BYTES
from tallystick.kernels.json_text import DEPTH_MAX
from tallystick.kernels.names import NameTable
from tallystick.kernels.packed import padded
from tallystick.kernels.words import PADDING
from tallystick.model.reason import Reason
from tallystick.parse.collectd.commands import gather_commands
from tallystick.parse.collectd.gathering import Gathering
from tallystick.parse.collectd.naming import escape_of, naming_of
from tallystick.parse.collectd.told import texts_of, told_room
from tallystick.parse.collectd.types import Sources, known_types
from tallystick.parse.contract import Parsed
from tallystick.parse.messages import MessageParser
from tallystick.parse.registry import protocol

__all__ = ["DEPTH_MAX", "CollectdPostParser"]

BODY_BYTES_MAX = 4 << 20
"""A longer body is not read: commands take some thirty times as much memory. The plugin posts 4 KiB."""
_ONE_OF_EACH = (
    b'[{"values":[1],"dstypes":["gauge"],"dsnames":["value"],"time":1,"host":"h","plugin":"p","type":"gauge"}]',
    b"PUTVAL h/p/gauge 1:1",
)
_VALUES_AT_FIRST = 64
_TEXT_BYTES_AT_FIRST = 1 << 16


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

    sample_bytes_min = 2

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
        self._list = _room(_VALUES_AT_FIRST, _TEXT_BYTES_AT_FIRST)
        self._state = np.zeros(STATE_SIZE, np.int64)
        self._is_json = False
        self._gathered = Gathering().lists(self._escape)
        self._before = np.zeros(0, np.int64), np.zeros(0, np.int64)

    @classmethod
    def prepare(cls) -> None:
        """See `tallystick.parse.contract.Parser.prepare`; each form has a kernel of its own."""
        for body in _ONE_OF_EACH:
            sizes = np.array([len(body)], np.int32)
            cls().parse_datagrams(padded(body), np.zeros(1, np.int64), sizes, NameTable(), 0)

    def _finished(self, parsed: Parsed, buffer: NDArray[np.uint8]) -> Parsed:
        """With what is told of rejects; of those that Python found it is where they lie."""
        if not parsed.rejects.total:
            return parsed
        told = texts_of(self._told, len(parsed.rejects.offset))
        texts = tuple(text or parsed.rejects.text(k, buffer, TOLD_BYTES) for k, text in enumerate(told))
        return replace(parsed, rejects=replace(parsed.rejects, texts=texts))

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        progress = self._rows.progress
        while progress[at.SPAN] < len(starts):
            span = int(progress[at.SPAN])
            start, stop = int(starts[span]), int(starts[span] + sizes[span])
            if progress[at.POSITION] < 0:
                self._rows.began[span] = progress[at.ROWS], progress[at.SEEN]
                self._is_json = buffer[start:stop].tobytes().lstrip()[:1] in (b"[", b"{")
            if stop - start > self.line_bytes_max:
                self._refuse(Reason.BODY_LONG, start, stop)
                state = at.DONE
            elif self._is_json:
                state = self._take_json(buffer, start, stop, names)
            else:
                state = self._take_commands(buffer, start, stop, names, now_ms)
            if state != at.DONE:
                return state
            progress[at.SPAN], progress[at.POSITION] = span + 1, -1
        return at.DONE

    def _take_json(self, buffer: NDArray[np.uint8], start: int, stop: int, names: NameTable) -> int:
        """Take a body of JSON, or what is left of it."""
        rows = self._rows
        if rows.progress[at.POSITION] < 0:
            self._before = rows.progress.copy(), rows.reject_counts.copy()
            self._state[:] = 0
            if stop - start + PADDING > len(self._list.buffer):
                self._list = _room(len(self._list.value), stop - start + PADDING)
        while True:
            state = parse_post(
                buffer,
                start,
                stop,
                names.arrays,
                rows,
                self._list,
                self._naming,
                self._told,
                self._rates,
                self._state,
            )
            if state == LIST_FULL:
                self._list = _room(2 * len(self._list.value), len(self._list.buffer))
                continue
            if state == NOT_JSON:
                rows.progress[:], rows.reject_counts[:] = self._before
                self._refuse(Reason.ENCODING, start, stop)
                return at.DONE
            return state

    def _take_commands(self, buffer: NDArray[np.uint8], start: int, stop: int, names: NameTable, now_ms: int) -> int:
        """Take a body of commands, or what is left of it."""
        if self._rows.progress[at.POSITION] < 0:
            gathering = Gathering()
            body = buffer[start:stop].tobytes()
            gather_commands(body, gathering, self._types, now_ms / 1000, rates=self._rates)
            self._gathered = gathering.lists(self._escape)
        return parse_lists(self._gathered, (start, stop), names.arrays, self._rows, self._naming, self._told)

    def _refuse(self, reason: Reason, start: int, stop: int) -> None:
        """Reject a body as a whole."""
        self._rows.progress[at.SEEN] += 1
        self._note(reason, start, stop - start)

    def _note(self, reason: Reason, start: int, length: int) -> None:
        k = int(self._rows.progress[at.REJECTS])
        if k < len(self._told.size):
            self._told.size[k] = 0
        super()._note(reason, start, length)


def _room(values: int, text_bytes: int) -> Lists:
    """Room for one list of values."""
    return Lists(
        buffer=np.zeros(text_bytes, np.uint8),
        texts=np.zeros((1, TEXTS_SIZE), np.int64),
        time_ms=np.zeros(1, np.int64),
        fault=np.zeros(1, np.uint8),
        first=np.zeros(2, np.int64),
        source=np.zeros((values, 2), np.int64),
        value=np.zeros(values),
        hard=np.zeros((values, 2), np.int64),
        kind=np.zeros(values, np.uint8),
    )
