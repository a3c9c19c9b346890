"""What the ledger says became of what a test sent."""

from typing import Any

from servers import Server, wait_until


class Balances:
    """The change of a door's balance since this was made."""

    def __init__(self, server: Server, door: str) -> None:
        self._server = server
        self._door = door
        self._before = server.balance(door)

    def change(self) -> dict[str, Any]:
        """Samples received, stored and rejected by reason since then; the balance holds, with nothing in flight."""
        now = self._server.balance(self._door)
        assert now["received"] == now["stored"] + sum(now["rejected"].values()) + now["in_flight"], now
        rejected = {reason: n - self._before["rejected"].get(reason, 0) for reason, n in now["rejected"].items()}
        return {
            "received": now["received"] - self._before["received"],
            "stored": now["stored"] - self._before["stored"],
            "rejected": {reason: n for reason, n in rejected.items() if n},
            "in_flight": now["in_flight"],
        }

    def wait_for(self, *, stored: int, rejected: dict[str, int]) -> None:
        """Wait until exactly this was stored and rejected, and nothing is in flight."""
        received = stored + sum(rejected.values())
        expected = {"received": received, "stored": stored, "rejected": rejected, "in_flight": 0}
        last: dict[str, Any] = {}

        def look() -> bool:
            nonlocal last
            last = self.change()
            return last == expected

        wait_until(look, f"the ledger to say {expected}", told=lambda: last)
