"""`Transcript`: slots to frames of one conversation, in which each name is told before the first slot that has it."""

from collections.abc import Mapping, Sequence

from tallystick.agent.spool.record import Record
from tallystick.model.kind import Kind
from tallystick.native import messages
from tallystick.native.messages import FRAME_BYTES, SLOTS_AT_ONCE, Name, Slot


class Transcript:
    """The names of a conversation.

    Parameters
    ----------
    described
        What is said of names, by name and kind; somebody else adds to it.
    """

    def __init__(self, described: Mapping[tuple[str, Kind], Name]) -> None:
        self._described = described
        self._numbers: dict[tuple[str, Kind], int] = {}
        self._of_others: set[int] = set()  # numbers of names that were told with an origin
        self._names = 0

    def __len__(self) -> int:
        return self._names

    def forget(self, name: Name) -> None:
        """Tell a name anew when it is next used: there is more to say of it."""
        self._numbers.pop((name.name, name.kind), None)

    def undo(self, names: int) -> None:
        """Know so many names, as before a record that is not used."""
        while self._numbers and next(reversed(self._numbers.values())) >= names:
            self._numbers.popitem()
        self._names = names

    def record(
        self, slots: Sequence[Slot], number: int, generated: int, blocked: int, at_ms: int, cursors: bytes
    ) -> Record:
        """Slots as a record behind a number. What was generated is told by its last batch, of which there is one also
        without slots if there is something to tell."""
        said: list[Name] = []
        parts = [
            [(self._number(slot, said), slot) for slot in slots[first : first + SLOTS_AT_ONCE]]
            for first in range(0, len(slots), SLOTS_AT_ONCE)
        ]
        if not parts and generated:
            parts = [[]]
        frames = []
        while parts:
            part = parts.pop(0)
            told = (0, 0) if parts else (generated, blocked)
            base_ms = part[0][1].at_ms if part else at_ms
            message = messages.batch(number + 1, told[0], base_ms, part, told[1])
            if len(message) > FRAME_BYTES and len(part) > 1:
                parts[:0] = [part[: len(part) // 2], part[len(part) // 2 :]]
                continue
            number += 1
            frames.append(messages.framed(message))
        return Record(number, generated, blocked, at_ms, len(slots), self._frames(said), b"".join(frames), cursors)

    def _number(self, slot: Slot, said: list[Name]) -> int:
        key = slot.name, slot.kind
        number = self._numbers.get(key)
        if number is None or (slot.origin and number not in self._of_others):
            number = self._numbers[key] = self._names + len(said)
            said.append((self._described.get(key) or Name(*key))._replace(origin=slot.origin))
            if slot.origin:
                self._of_others.add(number)
        return number

    def _frames(self, said: Sequence[Name]) -> bytes:
        frames = messages.framed_names(self._names, said)
        self._names += len(said)
        return frames
