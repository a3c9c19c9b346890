"""What doors for lines have in common: they are given lines, and may answer whoever sent them."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from tallystick.agent.doors.opentsdb import answer_of, answer_to_fault, read_put
from tallystick.agent.doors.sample import LINE_BYTES_MAX, Read
from tallystick.agent.doors.sink import Sink
from tallystick.model.reason import Reason

_ANSWERS_MAX = 64


class Answer(NamedTuple):
    """What a sender is told, and whether he is hung up on then."""

    text: bytes = b""
    leaving: bool = False


NOTHING = Answer()


class Lines(Protocol):
    """Takes lines, without their newlines; its callers hold the lock of the tallies."""

    def take(self, lines: Sequence[bytes], now_ms: int) -> Answer:
        """Count lines that arrived now. Whatever is in them, this raises nothing."""
        ...


class PlainLines:
    """Lines of a protocol that answers nothing.

    Parameters
    ----------
    sink
        Where samples go.
    read
        What a line says, given the time as well.
    """

    def __init__(self, sink: Sink, read: Callable[[bytes, int], Iterator[Read]]) -> None:
        self._sink = sink
        self._read = read

    def take(self, lines: Sequence[bytes], now_ms: int) -> Answer:
        """See `Lines.take`."""
        for line in lines:
            if len(line) > LINE_BYTES_MAX:
                self._sink.counts.reject(Reason.LINE_LONG, line, now_ms)
                continue
            for read in self._read(line, now_ms):
                self._sink.take(read, line, now_ms)
        return NOTHING


class OpenTsdbLines:
    """OpenTSDB's lines, some of which are answered: at most `_ANSWERS_MAX` of those that came at a time."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def take(self, lines: Sequence[bytes], now_ms: int) -> Answer:
        """See `Lines.take`."""
        answers: list[bytes] = []
        for line in lines:
            answer = self._take(line, now_ms)
            if answer is None:
                return Answer(b"".join(answers), leaving=True)
            if answer and len(answers) < _ANSWERS_MAX:
                answers.append(answer)
        return Answer(b"".join(answers)) if answers else NOTHING

    def _take(self, line: bytes, now_ms: int) -> bytes | None:
        if len(line) > LINE_BYTES_MAX:
            self._sink.counts.reject(Reason.LINE_LONG, line, now_ms)
            return answer_to_fault(line, Reason.LINE_LONG)
        for read in read_put(line, now_ms):
            reason = self._sink.take(read, line, now_ms)
            return answer_to_fault(line, reason) if reason is not Reason.NONE else b""
        return answer_of(line, self._stats())

    def _stats(self) -> bytes:
        """What ``stats`` is answered, as OpenTSDB writes it: samples of this door."""
        counts = self._sink.counts
        said = {"received": counts.seen, "taken": counts.taken, "rejected": sum(counts.rejected.values())}
        return b"\n".join(b"tallystick.agent.opentsdb.%s %d" % (word.encode(), said[word]) for word in said)
