"""How a block is kept: the resolution that its slots are of, and what becomes of its content."""

from functools import lru_cache

from tallystick.model.retention import Resolution, Retention
from tallystick.store.disk.manifest import BlockEntry


def resolutions(entry: BlockEntry) -> tuple[Resolution, Resolution | None]:
    """How the slots of a block are kept, and the next coarser resolution of its retention that they fit into."""
    return _resolutions_of(entry.retention, entry.step_s)


def is_own_step(entry: BlockEntry) -> bool:
    """Whether the step of a block is one of its retention; after a change of the rules it may not be."""
    return parsed(entry.retention).has(entry.step_s)


@lru_cache(maxsize=256)
def _resolutions_of(retention: str, step_s: int) -> tuple[Resolution, Resolution | None]:
    return parsed(retention).at(step_s), parsed(retention).coarser(step_s)


@lru_cache(maxsize=256)
def parsed(retention: str) -> Retention:
    """The retention of a block; kept, as there are few and many blocks."""
    return Retention.parse(retention)


def rolled_into(entry: BlockEntry, step_s: int) -> bool:
    """Whether a reader of slots of `step_s` finds the content of a block in a coarser one and passes it over."""
    return entry.rolled and step_s % entry.rolled_into_s == 0
