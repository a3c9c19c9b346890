"""`Survey`: what rules do to many names at once: which touch none, which names fall together, which change again."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tallystick.route.explain import series_of
from tallystick.route.facts import Facts
from tallystick.route.naming import Naming, Step
from tallystick.route.walk import Walk

EXAMPLES_MAX = 5


@dataclass(slots=True)
class Survey:
    """What rules did to some names.

    Parameters
    ----------
    names
        How many names there were.
    touched
        For each rule, to how many names it did anything.
    renamed, refused, multiplied
        How many names became others, none, and several.
    collisions
        Names of which several became one: that one, and examples of the others.
    restless
        Names that the rules change once more if they are sent as the rules made them, and what they become then: what
        is sent on to a server with the same rules is moved twice.
    """

    touched: list[int]
    names: int = 0
    renamed: int = 0
    refused: int = 0
    multiplied: int = 0
    collisions: dict[str, list[str]] = field(default_factory=dict)
    collided: int = 0
    restless: list[tuple[str, str]] = field(default_factory=list)
    restless_count: int = 0


def survey(naming: Naming, names: Iterable[tuple[str, Facts]]) -> Survey:
    """Try rules on names that are sent by somebody."""
    numbers = {id(step): k for k, step in enumerate(naming.steps)}
    found = Survey([0] * len(naming.steps))
    origin: dict[str, str] = {}

    def seen(step: Step, walk: Walk, did: bool, changed: bool) -> None:
        found.touched[numbers[id(step)]] += changed

    for name, facts in names:
        decision = naming.decide(name, facts, seen)
        found.names += 1
        found.multiplied += bool(decision.further)
        if not isinstance(decision.name, str):
            found.refused += 1
            continue
        found.renamed += decision.name != name
        first = origin.setdefault(decision.name, name)
        if first != name:
            found.collided += 1
            others = found.collisions.setdefault(decision.name, [first])
            if len(others) < EXAMPLES_MAX:
                others.append(name)
        again = series_of(naming.decide(decision.name, facts)) if decision.name != name else [name]
        if again[:1] != [decision.name]:
            found.restless_count += 1
            if len(found.restless) < EXAMPLES_MAX:
                found.restless.append((decision.name, again[0] if again else "nothing"))
    return found
