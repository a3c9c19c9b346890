"""`Walk`: one name on its way through the rules; it may become several."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tallystick.config.rules import TYPES
from tallystick.model.reason import Reason
from tallystick.native.names import Place, class_of, component
from tallystick.route.facts import Facts
from tallystick.route.normal import normal

_NO_KIND = "samples"


@dataclass(slots=True)
class Branch:
    """One of the names that a name has become.

    Parameters
    ----------
    name
        In its normal form.
    fields
        Of templates, but for the name itself.
    sent
        The name that was sent, in its normal form.
    refused
        Why samples do not go by it any more; `Reason.NONE` while they do.
    stopped
        Whether no further rule is for it.
    """

    name: str
    fields: Mapping[str, str]
    sent: str = ""
    refused: Reason = Reason.NONE
    stopped: bool = False

    @property
    def open(self) -> bool:
        """Whether rules are still for it."""
        return self.refused in (Reason.NONE, Reason.AGGREGATED) and not self.stopped

    def become(self, name: str) -> None:
        """Get another name, if it can be one."""
        found = normal(name)
        if isinstance(found, Reason):
            self.refused = found
        else:
            self.name = found


@dataclass(slots=True)
class Walk:
    """What has become of a name so far.

    Parameters
    ----------
    branches
        The name itself first, then those that multiplexing made.
    aggregates
        Names of outputs that it goes into, and whether they are percentiles.
    """

    facts: Facts
    branches: list[Branch]
    aggregates: dict[str, bool] = field(default_factory=dict)

    @property
    def state(self) -> object:
        """What can be compared with another moment, to see whether anything has changed."""
        branches = [(b.name, b.refused, b.stopped, tuple(b.fields.items())) for b in self.branches]
        return branches, tuple(self.aggregates)

    @classmethod
    def begin(cls, sent: str, facts: Facts, fields: Mapping[str, str]) -> "Walk":
        """Before the first rule."""
        first = Branch(sent, fields)
        first.become(sent)
        first.sent = first.name
        return cls(facts, [first])


def fields_of(facts: Facts, here: Place) -> Mapping[str, str]:
    """What fields of templates are before the first rule."""
    host = here.host if facts.is_local else component(facts.peer)
    kind = facts.kind
    return {
        "environment": here.environment,
        "class": here.host_class if facts.is_local else class_of(host),
        "host": host,
        "peer": facts.peer.replace(".", "_") or "local",
        "protocol": facts.protocol,
        "kind": kind.name.lower() if kind is not None else _NO_KIND,
        "type": TYPES[kind] if kind is not None else _NO_KIND,
    }


Act = Callable[[Branch, Walk], None]
"""What a rule does to a name that it is for."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a name.

    Parameters
    ----------
    name
        Of the series, or why there is none.
    further
        Names that its samples get as well, and whether they are kept as distributions whatever they were sent as.
    """

    name: str | Reason
    further: tuple[tuple[str, bool], ...] = ()

    @classmethod
    def of(cls, walk: Walk) -> "Decision":
        """At the end of the rules."""
        finals = dict.fromkeys(branch.name for branch in walk.branches if branch.refused is Reason.NONE)
        further = dict.fromkeys(finals, False) | walk.aggregates
        primary: str | Reason = next(iter(finals), walk.branches[0].refused)
        if isinstance(primary, str):
            further.pop(primary)
        elif walk.aggregates:
            primary = Reason.AGGREGATED
        return cls(primary, tuple(further.items()))
