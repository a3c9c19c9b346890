"""`ManualKeeper`: keeps what is handed to it, and calls it safe when a test says so."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from tallystick.native import Slot
from tallystick.native.blocking import Blocking
from tallystick.native.messages import Name


class ManualKeeper:
    """A spool without a disk; what is not safe is lost when it is killed."""

    def __init__(self, records: Sequence[tuple[list[Slot], dict[str, str]]] = (), *, is_quick: bool = True) -> None:
        self.records = list(records)
        """That are safe."""
        self.described: list[Name] = []
        self.is_quick = is_quick
        self.is_writable = True
        self.lost = 0
        self._unsafe: list[tuple[list[Slot], dict[str, str], Callable[[], None] | None]] = []
        self._lock = threading.Lock()
        self._told: list[Callable[[Blocking], None]] = []

    @property
    def cursors(self) -> Mapping[str, str]:
        return {key: at for _, cursors in self.records for key, at in cursors.items()}

    def offer(
        self,
        slots: Sequence[Slot],
        cursors: Mapping[str, str] | None = None,
        when_safe: Callable[[], None] | None = None,
        lost: int = 0,
    ) -> None:
        self.lost += lost
        with self._lock:
            self._unsafe.append((list(slots), dict(cursors or {}), when_safe))
        if self.is_quick:
            self.make_safe()

    def make_safe(self) -> int:
        """Have the disk take all there is; how many records that was."""
        with self._lock:
            unsafe, self._unsafe = self._unsafe, []
        for slots, cursors, when_safe in unsafe:
            self.records.append((slots, cursors))
            if when_safe is not None:
                when_safe()
        return len(unsafe)

    def describe(self, names: Iterable[Name]) -> None:
        self.described += names

    def when_blocked(self, call: Callable[[Blocking], None]) -> None:
        self._told.append(call)
        call(Blocking())

    def block(self, blocking: Blocking) -> None:
        """Have servers not want something."""
        for call in self._told:
            call(blocking)

    @property
    def slots(self) -> list[Slot]:
        """All that is safe."""
        return [slot for slots, _ in self.records for slot in slots]
