"""What each rule does to a name, told step by step."""

from dataclasses import dataclass

from tallystick.config.rules import spelt
from tallystick.model.reason import Reason
from tallystick.route.facts import Facts
from tallystick.route.naming import Naming, Step
from tallystick.route.normal import normal
from tallystick.route.walk import Decision, Walk

_TOLD = ("environment", "class", "host")


@dataclass(frozen=True, slots=True)
class Told:
    """What a rule did.

    Parameters
    ----------
    number
        Of the rule, from 1.
    rule
        As it is written.
    matched
        Whether it was for any of the names.
    changed
        Whether it did anything to them, or said who sends.
    renamed
        Whether names or aggregates are others than before.
    names
        The names after it; those that are refused with the word for why behind them.
    aggregates
        Outputs that samples go into since then.
    fields
        What ``{environment}``, ``{class}`` and ``{host}`` are after it.
    """

    number: int
    rule: str
    matched: bool
    changed: bool
    renamed: bool
    names: list[str]
    aggregates: list[str]
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What becomes of a name.

    Parameters
    ----------
    normal
        The name before the rules, or the word for why there is none.
    series
        Names of the series that samples go to, the name's own first.
    refused
        Why it has none of its own; empty where it has.
    """

    sent: str
    normal: str
    rules: list[Told]
    series: list[str]
    refused: str


def explain(naming: Naming, sent: str, facts: Facts) -> Explanation:
    """What each rule does to a name that is sent so, and where its samples go."""
    told: list[Told] = []
    begun = normal(sent)
    names = [begun if isinstance(begun, str) else begun.name.lower()]
    first = names[0]
    outputs: list[str] = []

    def seen(step: Step, walk: Walk, did: bool, changed: bool) -> None:
        nonlocal names, outputs
        before, made_before = names, outputs
        names, outputs = [_spelt(b.name, b.refused) for b in walk.branches], list(walk.aggregates)
        renamed = names != before or outputs != made_before
        fields = {field: walk.branches[0].fields[field] for field in _TOLD}
        fresh = [name for name in outputs if name not in made_before]
        told.append(Told(len(told) + 1, spelt(step.rule), did, changed, renamed, names, fresh, fields))

    decision = naming.decide(sent, facts, seen)
    return Explanation(sent, first, told, series_of(decision), _word(decision))


def series_of(decision: Decision) -> list[str]:
    """Names of the series of a decision, the name's own first."""
    own = [decision.name] if isinstance(decision.name, str) else []
    return own + [name for name, _ in decision.further]


def _word(decision: Decision) -> str:
    return decision.name.name.lower() if isinstance(decision.name, Reason) else ""


def _spelt(name: str, refused: Reason) -> str:
    return name if refused is Reason.NONE else f"{name} ({refused.name.lower()})"
