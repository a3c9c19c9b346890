"""``tallystick check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.agent import kinds
from tallystick.cli.options import config_option, directory_from, directory_option
from tallystick.cli.rules import rules_of
from tallystick.config import load
from tallystick.config.rules import Rule, spelt
from tallystick.model.extras import needed
from tallystick.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tallystick.route.facts import Facts
    from tallystick.route.survey import Survey


@click.group("check")
def command() -> None:
    """Look files over before they are used.

    \b
    tallystick check config tallystick.toml
    tallystick check rules rules.toml
    """


@command.command("config", short_help="Tell all problems of a config file at once.")
@click.argument("file", type=click.Path(path_type=Path))
def check_config(file: Path) -> None:
    """Tell all problems of a config file at once; exit status 3 if there are any."""
    config = load(file, kinds())
    doors = ", ".join(f"{listener.protocol} on {listener.address}" for listener in config.listeners) or "nothing"
    polled = ", ".join(f"{poll.protocol} at {poll.address}" for poll in config.polls) or "nobody"
    collectors = ", ".join(collector.name for collector in config.collectors) or "nothing"
    click.echo(f"{file} is fine.")
    click.echo(f"  listens    {doors}; http on {config.http.address}")
    click.echo(f"  polls      {polled}")
    click.echo(f"  collects   {collectors}")
    click.echo(f"  keeps      {', '.join(f'{keep.match} {keep.keep}' for keep in config.store.retention)}")
    click.echo(f"  stores in  {config.store.path}")


@command.command("rules", short_help="Tell all problems of rules, and what they do to the names that there are.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@config_option
@directory_option
@click.option("--source", metavar="SOURCE", default="", help="Names come this way, as 'statsd' or 'carbon'.")
@click.option("--from", "peer", metavar="HOST", default="", help="Names come from this address.")
@click.option("--alone", is_flag=True, help="Look at no store.")
def check_rules(
    file: Path | None, config_file: Path | None, directory: Path | None, source: str, peer: str, alone: bool
) -> None:
    """Tell all problems of a file of rules, or of a config's, at once; exit status 3 if there are any.

    Then try them on the names in the store, that of a running server as well, as if they were sent so: how many each
    rule is for, which of them become one, and which would be moved once more by the same rules.

    \b
    tallystick check rules rules.toml
    tallystick check rules rules.toml --config tallystick.toml --source statsd --from 10.1.2.3
    tallystick check rules --config tallystick.toml --alone
    """
    rules = rules_of(file, config_file)
    click.echo(f"{file or config_file}: {len(rules)} rules are fine.")
    place = directory_from(config_file, directory)
    if alone or not place.is_dir():
        return
    with needed("run this command", "server"):
        from tallystick.route import Naming
        from tallystick.route.survey import survey
    for line in _told(rules, survey(Naming(rules), _names_in(place, source, peer))):
        click.echo(line)


def _names_in(directory: Path, source: str, peer: str) -> Iterator[tuple[str, Facts]]:
    """The names in a store, each as if it were sent so."""
    from tallystick.model.kind import Kind
    from tallystick.route import Facts
    from tallystick.store.view import StoreView

    catalog = StoreView(directory).catalog
    ids = catalog.ids()
    facts = {kind: Facts(source, peer, kind) for kind in Kind}
    for name, kind in zip(catalog.names(ids), catalog.kinds(ids).tolist(), strict=True):
        yield name, facts[Kind(kind)]


def _told(rules: tuple[Rule, ...], found: Survey) -> Iterator[str]:
    yield f"  of {found.names} names {found.renamed} become others, {found.multiplied} several, {found.refused} none"
    for number, (rule, count) in enumerate(zip(rules, found.touched, strict=True), 1):
        yield f"{number:>4} {f'{count} names' if count else 'none':>14}  {printable(spelt(rule))}"
    for name, others in found.collisions.items():
        yield f"  one series: {printable(', '.join(others))} become {printable(name)}"
    if found.collided > sum(len(others) - 1 for others in found.collisions.values()):
        yield f"  ... {found.collided} names fall together with others in all"
    for name, again in found.restless:
        yield f"  moved twice: {printable(name)} becomes {printable(again)} if it is sent so"
    if found.restless_count > len(found.restless):
        yield f"  ... {found.restless_count} names in all"
