"""`Description`: what is known of a series beside its numbers."""

from typing import NamedTuple, Self

from tallystick.model.printable import on_a_line

UNIT_CHARS_MAX = 64
OWNER_CHARS_MAX = 128
DESCRIPTION_CHARS_MAX = 2000
ALERT_CHARS_MAX = 1000


class Description(NamedTuple):
    """What is known of a series beside its numbers; empty texts where nothing is. A tuple: there are very many.

    Parameters
    ----------
    unit
        Of its values, as whoever said it spells it: ``bytes``, ``s``, ``By``.
    owner
        Whom to ask: a team, an address.
    description
        What it counts, in a sentence.
    alert
        When somebody should be told, as text: kept for those who watch.
    """

    unit: str = ""
    owner: str = ""
    description: str = ""
    alert: str = ""

    def over(self, other: "Description") -> "Description":
        """This one, and `other` where it says nothing."""
        if not any(other):
            return self
        return Description(*(own or others for own, others in zip(self, other, strict=True)))

    @classmethod
    def said(cls, unit: str, owner: str, description: str, alert: str) -> Self:
        """What a sender says, as far as it can be kept: on one line each, and cut to its limit."""
        return cls(
            on_a_line(unit, UNIT_CHARS_MAX),
            on_a_line(owner, OWNER_CHARS_MAX),
            on_a_line(description, DESCRIPTION_CHARS_MAX),
            on_a_line(alert, ALERT_CHARS_MAX),
        )


NOTHING = Description()
