"""`Description`: what a program says of a metric beside its numbers."""

from typing import NamedTuple


class Description(NamedTuple):
    """What travels with a metric to the server and is shown where the metric is; empty where nothing is said.

    Parameters
    ----------
    unit
        Of its values: ``bytes``, ``s``.
    owner
        Whom to ask: a team, an address.
    description
        What it counts, in a sentence.
    alert
        When somebody should be told, as text.
    """

    unit: str = ""
    owner: str = ""
    description: str = ""
    alert: str = ""

    def over(self, other: "Description") -> "Description":
        """What is said here, and what `other` says where nothing is."""
        return Description(*(mine or theirs for mine, theirs in zip(self, other, strict=True)))


NOTHING_SAID = Description()
