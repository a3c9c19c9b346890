"""gmond's and gmetad's XML: connect, ask if it is gmetad's interactive port, and read to the end.

A gmond repeats what it knows at each poll. A value is of the moment at which it was last heard of, and is taken once:
its age is in whole seconds, so two reports of one value may differ by a second or two.
"""

import zlib

import numpy as np

from tallystick.config import Poll
from tallystick.model.reason import Reason
from tallystick.parse.ganglia_xml import read_report
from tallystick.parse.reading import Reading
from tallystick.receive.polls.exchange import Answer, Exchange, PollError, ReadingExchange
from tallystick.receive.polls.talk import connected

_GZIP = b"\x1f\x8b"
_SAME_MS = 2000


def exchange(poll: Poll) -> Exchange:
    """The exchange with a gmond or gmetad."""
    return GangliaExchange(poll)


class GangliaExchange(ReadingExchange):
    """A gmond or gmetad, and when each of its values was heard of."""

    def __init__(self, poll: Poll) -> None:
        super().__init__(poll)
        self._heard_ms: dict[bytes, int] = {}

    async def ask(self, answer: Answer) -> None:
        async with connected(self.poll.endpoint, self.poll.answer_bytes_max) as talk:
            if self.poll.query:
                await talk.say(self.poll.query)
            async for piece in talk.rest():
                answer.say(piece)
        if not len(answer):
            raise PollError(Reason.TRUNCATED, "it hung up without a word; expected XML, as of gmond to hosts it trusts")

    def read(self, answer: bytes, now_ms: int) -> Reading:
        if answer.startswith(_GZIP):
            answer = _inflated(answer, self.poll.answer_bytes_max)
        reading = read_report(answer, self.poll.prefix or "ganglia", now_ms)
        return reading.without(self._repeated(reading))

    def _repeated(self, reading: Reading) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Which samples were in the report before."""
        repeated = np.zeros(len(reading.samples), np.bool_)
        heard_ms: dict[bytes, int] = {}
        for row, (entry, at_ms) in enumerate(
            zip(reading.samples.ids.tolist(), reading.samples.timestamp.tolist(), strict=True)
        ):
            name = reading.names[entry]
            before_ms = self._heard_ms.get(name)
            repeated[row] = before_ms is not None and abs(at_ms - before_ms) <= _SAME_MS
            heard_ms[name] = before_ms if before_ms is not None and repeated[row] else at_ms
        self._heard_ms = heard_ms
        return repeated


def _inflated(data: bytes, bytes_max: int) -> bytes:
    """What gmond packed by its option ``gzip_output``."""
    inflater = zlib.decompressobj(31)
    try:
        text = inflater.decompress(data, bytes_max)
    except zlib.error as error:
        raise PollError(Reason.ENCODING, f"it cannot be decompressed: {error}; expected gzip") from None
    if inflater.unconsumed_tail:
        raise PollError(Reason.BODY_LONG, f"it becomes more than {bytes_max} bytes; expected less (answer_bytes_max)")
    return text
