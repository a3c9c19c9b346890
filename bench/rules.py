"""What rules cost: carbon lines from the parser to the log's queue, beside the same without any, in this process."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.figure import Figure, benchmark, load
from bench.fleet import names_of
from bench.parse import buffers
from tallystick.config import Rule
from tallystick.ledger import Ledger
from tallystick.model.clock import SystemClock
from tallystick.model.retention import Retention, RetentionRule
from tallystick.parse import PADDING, NameTable, protocols
from tallystick.receive import Intake, IntakeLimits
from tallystick.route import Router
from tallystick.store.embedded import EmbeddedStore

NAMES = 100_000
ROUNDS = 8
SETS: dict[str, Sequence[Rule]] = {
    "no rules": (),
    "a rewrite": (Rule(rewrite="^ -> moved."),),
    "by who sends": (Rule(source=("carbon 10.0.0.0/8",), prefix="moved"),),
    "all multiplexed": (Rule(multiplex=("copy.{name}",), kinds=("gauge",)),),
    "all in an aggregate": (Rule(aggregate="all.<metric> (10) = sum <<host>>.<metric>"),),
}


class House:
    """A whole way in, with some rules."""

    def __init__(self, directory: Path, rules: Sequence[Rule]) -> None:
        clock = SystemClock()
        self.store = EmbeddedStore(directory, [RetentionRule("*", Retention.parse("10s:10d"))], clock)
        self.store.start()
        names, ledger = NameTable(), Ledger(clock)
        self.router = Router(names, self.store.create, rules)
        self.intake = Intake(names, self.router, self.store, ledger, clock, IntakeLimits(3600, 10 * 86_400))
        self.parser = protocols()["carbon"]()
        self.account = ledger.account("carbon tcp://127.0.0.1:2003", "10.0.0.1")

    def take(self, chunks: list[np.ndarray]) -> float:
        """CPU seconds that the lines took the thread that receives."""
        began = time.thread_time()
        for chunk in chunks:
            self.intake.parse_stream(self.parser, chunk, len(chunk) - PADDING, self.account, skipping=False, final=True)
        return time.thread_time() - began


def text(at_s: int) -> bytes:
    """A line of each name."""
    return "".join(f"{name} {k % 1000}.5 {at_s}\n" for k, name in enumerate(names_of(NAMES))).encode()


@benchmark("rules")
def rules() -> Iterator[Figure]:
    """Rules of names: what a line costs, received to queued, and what a new name costs."""
    start_s = int(time.time()) // 10 * 10 - 10 * (ROUNDS + 2)
    with tempfile.TemporaryDirectory() as place:
        houses = {label: House(Path(place) / str(k), some) for k, (label, some) in enumerate(SETS.items())}
        first: dict[str, float] = {}
        seconds: dict[str, list[float]] = {label: [] for label in SETS}
        for round_ in range(ROUNDS + 1):
            chunks = list(buffers(text(start_s + 10 * round_)))
            for label, house in houses.items():  # side by side, so that a busy moment is everybody's
                taken = house.take(chunks)
                if round_ == 0:
                    first[label] = taken
                else:
                    seconds[label].append(taken)
        for label, house in houses.items():
            balance = house.account.snapshot()
            if balance.stored != balance.received + balance.made:
                raise SystemExit(f"cannot trust the figures: {balance.in_flight} samples were lost")
            yield Figure(
                f"rules, {label}: CPU-s per million lines", min(seconds[label]) / NAMES * 1e6, "CPU-s", note=load()
            )
        for label, house in houses.items():
            yield Figure(f"rules, {label}: first sight of a name", first[label] / NAMES * 1e6, "us", note=load())
            house.store.close()
