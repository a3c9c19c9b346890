"""One poll whose result is shown and not kept: the way of any other, into a store that is thrown away."""

import asyncio
from dataclasses import dataclass

from tallystick.config import Poll
from tallystick.ledger import Ledger
from tallystick.model.clock import Clock
from tallystick.model.kind import Kind
from tallystick.model.numbered import Numbered
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import TallyBatch
from tallystick.parse import NameTable
from tallystick.receive.intake import Intake
from tallystick.receive.polls.poller import OWN_PREFIX, Poller, Target
from tallystick.receive.routing import IntakeLimits
from tallystick.route import Router
from tallystick.store.memory import MemoryStore

_ANY_TIME_S = 100 * 365 * 86400


@dataclass(frozen=True, slots=True)
class Shown:
    """A sample in words.

    Parameters
    ----------
    at_s
        Epoch seconds.
    """

    name: str
    kind: Kind
    value: float
    at_s: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What a poll gave.

    Parameters
    ----------
    samples
        In the order of the answer.
    complaints
        Reason and text of what was rejected, as many as the ledger keeps.
    fault
        Why the poll failed, or nothing.
    """

    samples: list[Shown]
    complaints: list[tuple[str, str]]
    fault: str


class _Shelf(MemoryStore):
    """Keeps what it was given, too."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[SampleBatch] = []

    def append(self, batch: SampleBatch, tallies: TallyBatch | None = None, numbered: Numbered | None = None) -> int:
        self.batches.append(batch)
        return super().append(batch, tallies, numbered)


def try_once(poll: Poll, clock: Clock) -> Trial:
    """Poll a target once; nothing is raised for what the target does."""
    shelf, ledger, names = _Shelf(), Ledger(clock), NameTable()
    intake = Intake(names, Router(names, shelf.create), shelf, ledger, clock, IntakeLimits(_ANY_TIME_S, _ANY_TIME_S))
    poller = Poller(intake, [poll])
    (target,) = poller.targets
    asyncio.run(_poll(poller, target))
    poller.stop()
    complaints = [
        (offender.reason.name.lower(), offender.text)
        for offender in ledger.offenders()
        if not offender.text.startswith(f"cannot poll {target}")
    ]
    return Trial(_shown(shelf), complaints, target.cause)


async def _poll(poller: Poller, target: Target) -> None:
    await poller.poll(target)
    await target.exchange.close()


def _shown(shelf: _Shelf) -> list[Shown]:
    batch = SampleBatch.concatenate(shelf.batches)
    names = shelf.catalog.names(batch.ids)
    columns = zip(names, batch.kind.tolist(), batch.value.tolist(), batch.timestamp.tolist(), strict=True)
    return [
        Shown(name, Kind(kind), value, at_ms / 1000)
        for name, kind, value, at_ms in columns
        if not name.startswith(OWN_PREFIX)  # what is told of the poll itself
    ]
