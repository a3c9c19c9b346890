"""`Naming`: all rules, compiled; what becomes of a name is decided here, once for each new one."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate

from tallystick.config.rules import MULTIPLEXED, Rule
from tallystick.model.name import tags_of
from tallystick.native.names import Place, here
from tallystick.route.actions import Action, action_of
from tallystick.route.facts import Asked, Facts, asked
from tallystick.route.walk import Branch, Decision, Walk, fields_of

_FACTS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Step:
    """A rule, compiled.

    Parameters
    ----------
    asks_kind, asks_source, asks_peer
        Whether it has to know the kind of a sample, where it came from, and by which address exactly.
    """

    rule: Rule
    action: Action
    matches: Callable[[Branch, Facts], bool]
    from_source: Asked | None
    asks_kind: bool

    @property
    def asks_peer(self) -> bool:
        """Whether names depend on the very address that sent."""
        return self.action.asks_peer

    @classmethod
    def of(cls, rule: Rule) -> "Step":
        """The rule compiled."""
        action = action_of(rule)
        kinds = rule.kinds or (MULTIPLEXED if rule.action == "multiplex" else ())
        source = asked(rule.source) if rule.source else None
        return cls(rule, action, _matching(rule, kinds, source), source, bool(kinds) or action.asks_kind)


Seen = Callable[[Step, Walk, bool, bool], None]
"""Told of a walk after each rule, whether that was for any of the names, and whether it changed anything."""


class Naming:
    """Decides about names.

    Parameters
    ----------
    place
        Where this process is: what ``{environment}`` and ``{class}`` are where no rule says otherwise.

    Raises
    ------
    ValueError
        If a file that a rule names cannot be read any more; the config has read it before.
    """

    def __init__(self, rules: Sequence[Rule], place: Place | None = None) -> None:
        self.steps = [Step.of(rule) for rule in rules]
        self._place = place or here()
        self._fields: dict[Facts, Mapping[str, str]] = {}
        self.asks_kind = any(step.asks_kind for step in self.steps)
        self.asks_peer = any(step.asks_peer for step in self.steps)
        self._sources = [step.from_source for step in self.steps if step.from_source is not None]
        self.asks_source = bool(self._sources) or self.asks_peer
        self.discerns = self.asks_kind or self.asks_source
        """Whether a name may become another series by who sends it, or of what kind it is."""
        self.multiplies = any(step.rule.multiplex or step.action.aggregates for step in self.steps)
        """Whether a name may become several series."""
        self.aggregates = tuple(line for step in self.steps for line in step.action.aggregates)
        """The lines that say what outputs are."""
        self.renames = any(step.rule.action not in ("block", "stop", "blacklist", "whitelist") for step in self.steps)
        """Whether names of series may be others than those that are sent."""

    def likeness(self, facts: Facts) -> tuple[object, ...]:
        """What the rules know of a source: sources with the same have the same names decided about once."""
        exact = (facts.source, facts.peer) if self.asks_peer else ()
        return (*exact, *(holds(facts) for holds in self._sources))

    def decide(self, sent: str, facts: Facts, seen: Seen | None = None) -> Decision:
        """What becomes of a name: rules apply in order, each to what the ones before it made."""
        fields = self._fields.get(facts)
        if fields is None:
            if len(self._fields) >= _FACTS_KEPT:
                self._fields.clear()
            fields = self._fields[facts] = fields_of(facts, self._place)
        walk = Walk.begin(sent, facts, fields)
        for step in self.steps:
            before = walk.state if seen is not None else None
            did = False
            for branch in list(walk.branches):
                if branch.open and step.matches(branch, facts):
                    step.action.act(branch, walk)
                    did = True
            if seen is not None:
                seen(step, walk, did, walk.state != before)
        return Decision.of(walk)


def _matching(rule: Rule, kinds: tuple[str, ...], source: Asked | None) -> Callable[[Branch, Facts], bool]:
    """Whether a rule is for a name: cheapest question first."""
    glob = re.compile(translate(rule.match)).match if rule.match != "*" else None
    search = re.compile(rule.regex).search if rule.regex else None
    tags = {tag: re.compile(translate(value)).match for tag, value in rule.tags.items()}

    def matches(branch: Branch, facts: Facts) -> bool:
        if kinds and branch.fields["kind"] not in kinds:
            return False
        if glob is not None and glob(branch.name) is None:
            return False
        if search is not None and search(branch.name) is None:
            return False
        if source is not None and not source(facts):
            return False
        if not tags:
            return True
        found = tags_of(branch.name)
        return all(tag in found and fits(found[tag]) is not None for tag, fits in tags.items())

    return matches
