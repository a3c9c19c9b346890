"""What rules do: one small function for each action, made from the keys of a rule."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from tallystick.config.carbon_rules import AggregationLine, read_aggregation, read_patterns, read_rewrites
from tallystick.config.rules import Rule, words_of
from tallystick.model.reason import Reason
from tallystick.native.names import class_of, component
from tallystick.route.template import Template
from tallystick.route.walk import Act, Branch, Walk

OWN = "tallystick."
"""What this server tells of itself, which no whitelist refuses."""

_NOTHING: Mapping[str, str] = {}
_FIELDS_OF_PEERS = frozenset({"host", "peer", "class", "environment", "protocol"})
_FIELDS_OF_KINDS = frozenset({"kind", "type"})


class Action:
    """What a rule does, and what it has to know for that.

    Parameters
    ----------
    act
        Does it.
    fields
        Fields of templates that it asks for.
    aggregates
        The aggregates that it makes.
    """

    def __init__(
        self, act: Act, fields: frozenset[str] = frozenset(), aggregates: tuple[AggregationLine, ...] = ()
    ) -> None:
        self.act = act
        self.asks_peer = bool(fields & _FIELDS_OF_PEERS)
        self.asks_kind = bool(fields & _FIELDS_OF_KINDS)
        self.aggregates = aggregates


def action_of(rule: Rule) -> Action:
    """What a rule does.

    Raises
    ------
    ValueError
        If a file that it names cannot be read.
    """
    return _MAKERS[rule.action](rule)


def _rewriting(rule: Rule) -> Action:
    template = Template.parse(rule.rewrite)
    fields = _fields_for(rule, template)

    def act(branch: Branch, walk: Walk) -> None:
        branch.become(template.replaced(branch.name, fields(branch)))

    return Action(act, template.fields)


def _prefixing(rule: Rule) -> Action:
    template = Template("", rule.prefix)
    fields = _fields_for(rule, template)

    def act(branch: Branch, walk: Walk) -> None:
        prefix = template.made("", fields(branch))
        branch.become(f"{prefix}.{branch.name}")

    return Action(act, template.fields)


def _placing(rule: Rule) -> Action:
    """Who sent: host, class and environment, each by what is known already."""
    host = re.compile(rule.host) if rule.host else None
    maps = [
        (field, of, [Template(pattern, text) for pattern, text in table.items()])
        for field, of, table in (
            ("host", "peer", rule.hosts),
            ("class", "host", rule.classes),
            ("environment", "host", rule.environments),
        )
        if table
    ]
    asked = frozenset({"peer"} if rule.hosts else ()).union(*(t.fields for _, _, table in maps for t in table))

    def act(branch: Branch, walk: Walk) -> None:
        found = host.search(branch.name) if host is not None else None
        if found is not None and found[1]:
            branch.fields = {**branch.fields, "host": found[1], "class": class_of(found[1])}
        for field, of, table in maps:
            known = walk.facts.peer if of == "peer" else branch.fields[of]
            fields = {**branch.fields, "name": branch.name, "sent": branch.sent}
            said = next((made for template in table if (made := template.made(known, fields))), None)
            if said is not None:
                branch.fields = {**branch.fields, field: component(said)}
                if field == "host":
                    branch.fields = {**branch.fields, "class": class_of(said)}

    return Action(act, asked)


def _multiplexing(rule: Rule) -> Action:
    templates = [Template.parse(text) for text in rule.multiplex]
    fields = _fields_for(rule, *templates)

    def act(branch: Branch, walk: Walk) -> None:
        if branch.refused is not Reason.NONE:
            return
        for template in templates:
            name = template.renamed(branch.name, fields(branch))
            if name is not None:
                further = Branch(branch.name, branch.fields, branch.sent)
                further.become(name)
                walk.branches.append(further)

    asked: frozenset[str] = frozenset().union(*(template.fields for template in templates))
    return Action(act, asked)


def _aggregating(rule: Rule) -> Action:
    lines = (
        read_aggregation(Path(rule.aggregation_rules).expanduser())
        if rule.aggregation_rules
        else (AggregationLine.parse(rule.aggregate),)
    )
    compiled = [(re.compile(line.pattern), line) for line in lines]

    def act(branch: Branch, walk: Walk) -> None:
        went = False
        for pattern, line in compiled:
            found = pattern.match(branch.name)
            if found is None:
                continue
            output = Branch(branch.name, {})
            output.become(line.made_of(found.groupdict()))
            if output.refused is Reason.NONE:
                walk.aggregates.setdefault(output.name, line.method.startswith("p"))
                went = True
        if went and (not rule.keep or branch.name in walk.aggregates):
            branch.refused = Reason.AGGREGATED

    return Action(act, aggregates=lines)


def _blocking(rule: Rule) -> Action:
    return Action(_block)


def _stopping(rule: Rule) -> Action:
    def act(branch: Branch, walk: Walk) -> None:
        branch.stopped = True

    return Action(act)


def _rewriting_as_carbon(rule: Rule) -> Action:
    sections = read_rewrites(Path(rule.rewrite_rules).expanduser())
    wanted = (rule.section,) if rule.section else ("pre", "post")
    templates = [Template(*one, with_fields=False) for section in wanted for one in sections[section]]

    def act(branch: Branch, walk: Walk) -> None:
        name = branch.name
        for template in templates:
            name = template.replaced(name, {})
        branch.become(name)

    return Action(act)


def _blacklisting(rule: Rule) -> Action:
    patterns = [re.compile(pattern) for pattern in read_patterns(Path(rule.blacklist).expanduser())]

    def act(branch: Branch, walk: Walk) -> None:
        if any(pattern.search(branch.name) for pattern in patterns):
            _block(branch, walk)

    return Action(act)


def _whitelisting(rule: Rule) -> Action:
    patterns = [re.compile(pattern) for pattern in read_patterns(Path(rule.whitelist).expanduser())]

    def act(branch: Branch, walk: Walk) -> None:
        # As carbon has it, an empty list lets everything pass.
        if patterns and not branch.name.startswith(OWN) and not any(p.search(branch.name) for p in patterns):
            branch.refused = Reason.UNLISTED

    return Action(act)


def _block(branch: Branch, walk: Walk) -> None:
    branch.refused = Reason.BLOCKED


def _fields_for(rule: Rule, *templates: Template) -> Callable[[Branch], Mapping[str, str]]:
    """The fields of a branch, with its name, and with the words that a rule has for kinds; nothing if nobody asks."""
    words = words_of(rule)
    if not any(template.fields for template in templates):
        return lambda branch: _NOTHING

    def fields(branch: Branch) -> Mapping[str, str]:
        word = words.get(branch.fields["kind"], branch.fields["type"])
        return {**branch.fields, "name": branch.name, "sent": branch.sent, "type": word}

    return fields


_MAKERS: dict[str, Callable[[Rule], Action]] = {
    "rewrite": _rewriting,
    "prefix": _prefixing,
    "host": _placing,
    "hosts": _placing,
    "classes": _placing,
    "environments": _placing,
    "multiplex": _multiplexing,
    "aggregate": _aggregating,
    "block": _blocking,
    "stop": _stopping,
    "rewrite_rules": _rewriting_as_carbon,
    "aggregation_rules": _aggregating,
    "blacklist": _blacklisting,
    "whitelist": _whitelisting,
}
