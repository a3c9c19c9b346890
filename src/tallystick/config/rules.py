"""Rules of names: what is done to a name on its way in; one struct, in the config or a file of its own."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from tallystick.config.carbon_rules import AggregationLine, read_aggregation, read_patterns, read_rewrites
from tallystick.config.table import Conflict, Table, expression, key, toml

FIELDS = ("environment", "class", "host", "peer", "protocol", "kind", "type", "name", "sent")
"""What can stand in braces in a template."""

KINDS = ("gauge", "counter", "timing", "set", "cumulative")
"""Words for `tallystick.model.kind.Kind`, in its order."""

TYPES = ("gauges", "counters", "timings", "sets", "cumulatives")
"""What ``{type}`` is of each kind, unless a rule says otherwise."""

MULTIPLEXED = ("counter", "timing", "set")
"""Kinds that are multiplexed where a rule does not say which: they add up over hosts, levels do not."""

ACTIONS = (
    ("rewrite",),
    ("prefix",),
    ("host", "hosts", "classes", "environments"),
    ("multiplex",),
    ("aggregate",),
    ("block",),
    ("stop",),
    ("rewrite_rules",),
    ("aggregation_rules",),
    ("blacklist",),
    ("whitelist",),
)
"""Keys that say what a rule does; a rule has those of one of these groups."""

_FIELD = re.compile(r"{([^{}]*)}")
_NOTHING: Any = msgspec.field(default_factory=dict)


def split_template(text: str) -> tuple[str, str]:
    """Regular expression and template of ``expression -> template``; the first is empty where there is no arrow.

    Raises
    ------
    ValueError
        If one of them cannot be used.
    """
    pattern, arrow, template = (part.strip() for part in text.partition("->"))
    if not arrow:
        pattern, template = "", pattern
    _check_template(pattern, template)
    return pattern, template


def _check_template(pattern: str, template: str) -> None:
    unknown = [word for word in _FIELD.findall(template) if word not in FIELDS]
    if unknown:
        raise ValueError(f"there is no field {{{unknown[0]}}}; expected one of {', '.join(FIELDS)}")
    compiled = expression(pattern)
    try:
        compiled.sub(_FIELD.sub("x", template), "")
    except (re.error, IndexError) as error:
        raise ValueError(f"{template!r} is broken: {error}; expected groups that {pattern!r} has") from None


def _rewrite(text: str) -> None:
    if text and not split_template(text)[0]:
        raise ValueError(f"{text!r} is no rewrite; expected 'regular expression -> template'")


def _prefix(text: str) -> None:
    _check_template("", text)


def _templates(texts: tuple[str, ...]) -> None:
    for text in texts:
        split_template(text)


def _maps(maps: dict[str, str]) -> None:
    for pattern, template in maps.items():
        _check_template(pattern, template)


def _with_group(text: str) -> None:
    if text and not expression(text).groups:
        raise ValueError(f"{text!r} has no group; expected one around the host's name, as '^([^.]+)'")


def _kinds(words: tuple[str, ...]) -> None:
    for word in words:
        if word not in KINDS:
            raise ValueError(f"there is no kind {word!r}; expected {', '.join(KINDS)}")


def _types(words: dict[str, str]) -> None:
    _kinds(tuple(words))


def _sources(texts: tuple[str, ...]) -> None:
    for text in texts:
        for word in text.split() or [text]:
            _source(word)


def _source(word: str) -> None:
    if not word:
        raise ValueError("a source is empty; expected a protocol, a listener's address, a host or a network")
    if "/" in word and "://" not in word and not word.startswith("/"):
        try:
            ipaddress.ip_network(word, strict=False)
        except ValueError as error:
            raise ValueError(f"{word!r} is no network: {error}; expected one such as 10.0.0.0/8") from None


def _aggregate(text: str) -> None:
    if text:
        AggregationLine.parse(text)


def _file_of_rewrites(path: str) -> None:
    if path:
        read_rewrites(Path(path).expanduser())


def _file_of_aggregates(path: str) -> None:
    if path:
        read_aggregation(Path(path).expanduser())


def _file_of_patterns(path: str) -> None:
    if path:
        read_patterns(Path(path).expanduser())


class Rule(Table, frozen=True):
    """What is done to names on their way in: rules apply in their order, each to what the ones before it made.

    Which names a rule is for (all that is said has to hold), and the one thing that it does.
    """

    match: Annotated[str, key("Glob over the whole name; * crosses dots.", min_length=1)] = "*"
    regex: Annotated[str, key("Regular expression that is searched in the name.", expression)] = ""
    kinds: Annotated[tuple[str, ...], key(f"Only these: {', '.join(KINDS)}.", _kinds)] = ()
    source: Annotated[
        tuple[str, ...],
        key(
            "Only from these: a protocol (statsd), a listener (udp://0.0.0.0:8125), a host (10.1.2.3, 10.1.*), a "
            "network (10.0.0.0/8); 'statsd 10.0.0.0/8' is both.",
            _sources,
        ),
    ] = ()
    tags: Annotated[dict[str, str], key("Only with these tags: { rack = 'a*' }, a glob for each value.")] = _NOTHING

    rewrite: Annotated[
        str,
        key(
            "'regular expression -> template': every place where it is found. \\1 is a group, and there are the fields "
            f"{{{'}, {'.join(FIELDS)}}}.",
            _rewrite,
        ),
    ] = ""
    prefix: Annotated[str, key("A template that stands before the name, with a dot between.", _prefix)] = ""
    host: Annotated[
        str,
        key("Regular expression whose first group, in the name, is the {host} of the following rules.", _with_group),
    ] = ""
    hosts: Annotated[
        dict[str, str],
        key("{host} by {peer}, the address that sent: the first regular expression that is found says it.", _maps),
    ] = _NOTHING
    classes: Annotated[
        dict[str, str], key("{class} by {host}, in the same way; without, the host's name without its number.", _maps)
    ] = _NOTHING
    environments: Annotated[dict[str, str], key("{environment} by {host}, in the same way.", _maps)] = msgspec.field(
        default_factory=dict
    )
    multiplex: Annotated[
        tuple[str, ...],
        key(
            "Further names, templates or 'regular expression -> template'; of counters, timings and sets unless kinds "
            "says otherwise.",
            _templates,
        ),
    ] = ()
    aggregate: Annotated[
        str, key("A line of carbon's aggregation-rules.conf: 'output (seconds) = method input'.", _aggregate)
    ] = ""
    block: Annotated[bool, key("Drop the samples and count them as blocked.")] = False
    stop: Annotated[bool, key("What follows is not for these names.")] = False
    rewrite_rules: Annotated[str, key("A rewrite-rules.conf of carbon.", _file_of_rewrites)] = ""
    aggregation_rules: Annotated[str, key("An aggregation-rules.conf of carbon.", _file_of_aggregates)] = ""
    blacklist: Annotated[
        str, key("A blacklist.conf of carbon: block what a line of it matches.", _file_of_patterns)
    ] = ""
    whitelist: Annotated[
        str,
        key("A whitelist.conf of carbon: take only what one of its lines matches, and tallystick.*", _file_of_patterns),
    ] = ""

    section: Annotated[str, key("Of rewrite_rules only this: pre or post; empty for both.")] = ""
    types: Annotated[dict[str, str], key("What {type} is: { timing = 'aggregate' }; else timings ...", _types)] = (
        _NOTHING
    )
    keep: Annotated[bool, key("Whether what went into an aggregate is kept under its own name as well.")] = True

    @property
    def action(self) -> str:
        """The first key of what it does."""
        return self._done()[0][0]

    @property
    def is_for_some(self) -> bool:
        """Whether anything says which names it is for."""
        return self.match != "*" or bool(self.regex or self.kinds or self.source or self.tags)

    @property
    def files(self) -> tuple[str, ...]:
        """Files that it names."""
        named = self.rewrite_rules, self.aggregation_rules, self.blacklist, self.whitelist
        return tuple(path for path in named if path)

    def conflicts(self) -> Iterator[Conflict]:
        done = self._done()
        if len(done) != 1:
            said = " and ".join(group[0] for group in done) or "nothing"
            expected = ", ".join(group[0] for group in ACTIONS)
            yield (), f"it does {said}; expected one of {expected}"
        elif not self.keep and done[0][0] not in ("aggregate", "aggregation_rules"):
            yield ("keep",), f"{done[0][0]} keeps names; expected it beside aggregate or aggregation_rules only"
        elif (self.block or self.stop) and not self.is_for_some:
            yield (), "it is for every name; expected match, regex, kinds, source or tags beside it"
        if self.section not in ("", "pre", "post") or (self.section and not self.rewrite_rules):
            yield ("section",), f"{self.section!r} is none of rewrite_rules; expected pre or post, beside rewrite_rules"

    def _done(self) -> list[tuple[str, ...]]:
        present = [tuple(word for word in group if getattr(self, word)) for group in ACTIONS]
        return [group for group in present if group]


def spelt(rule: Rule) -> str:
    """A rule on one line, as it would stand in a list of TOML: only what is said in it."""
    said = {
        field.encode_name: getattr(rule, field.name)
        for field in msgspec.structs.fields(rule)
        if getattr(rule, field.name) != _DEFAULTS[field.name]
    }
    return ", ".join(f"{name} = {toml(msgspec.to_builtins(value))}" for name, value in said.items())


class RulesFile(Table, frozen=True):
    """A file of rules."""

    rules: tuple[Rule, ...] = ()


def words_of(rule: Rule) -> Mapping[str, str]:
    """``{type}`` by kind for a rule."""
    return dict(zip(KINDS, TYPES, strict=True)) | rule.types


_DEFAULTS = msgspec.structs.asdict(Rule())
