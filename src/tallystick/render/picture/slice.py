"""`Slice`: what a pie is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """A name and a number; what has no number, or one below 0, has no slice."""

    name: str
    value: float
