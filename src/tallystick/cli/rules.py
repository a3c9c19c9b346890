"""``tallystick rules``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tallystick.cli.options import config_from, config_option, token_option
from tallystick.cli.server import asked, server_asked
from tallystick.config.rules import KINDS, Rule
from tallystick.config.rules_file import load_rules
from tallystick.config.rules_sample import SAMPLE
from tallystick.model.errors import TallystickError
from tallystick.model.extras import needed
from tallystick.model.printable import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

_file = click.option("--file", "file", type=click.Path(path_type=Path), metavar="FILE", help="A file of rules.")
_json = click.option("--json", "as_json", is_flag=True, help="The whole answer.")


@click.group("rules")
def command() -> None:
    """What is done to names on their way in.

    \b
    tallystick rules sample > rules.toml               a file with an example of each rule
    tallystick check rules rules.toml                  is it right, and whom does it touch?
    tallystick rules show                              the rules that the server follows
    tallystick rules explain web1.cpu --from 10.1.2.3  what each of them does to a name
    """


@command.command("sample", short_help="Print a file with an example of each rule.")
def print_sample() -> None:
    """Print a file of rules with an example of each."""
    click.echo(SAMPLE, nl=False)


@command.command("show", short_help="Show the rules that a server follows.")
@server_asked
@token_option
@_json
def show(server: str, token: str | None, as_json: bool) -> None:
    """Show the rules that a server follows."""
    answer = asked(server, token, "/api/rules", [])
    if as_json:
        click.echo(json.dumps(answer, indent=2))
        return
    for problem in answer["problems"]:
        click.echo(printable(problem), err=True)
    for rule in answer["rules"]:
        click.echo(f"{rule['number']:>3}  {printable(rule['rule'])}")
    if not answer["rules"]:
        click.echo("There are no rules: names are those of series as they are sent.")


@command.command("explain", short_help="Show what each rule does to a name.")
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), default="gauge", show_default=True, help="What is sent.")
@click.option("--from", "peer", metavar="HOST", default="", help="The address that sends; this machine by default.")
@click.option("--source", metavar="SOURCE", default="", help="How it comes: carbon, 'statsd udp://0.0.0.0:8125'.")
@_file
@config_option
@server_asked
@token_option
@_json
def explain_name(
    name: str, kind: str, peer: str, source: str, file: Path | None, config_file: Path | None, server: str,
    token: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Show what each rule does to a name, and to which series its samples go.

    The rules are those of --file or --config, else those that the server follows.

    \b
    tallystick rules explain collectd.web1.load.load
    tallystick rules explain shop.hits --kind counter --source statsd --from 10.1.2.3
    tallystick rules explain web1.cpu.user --file rules.toml
    """
    if file is None and config_file is None:
        fields = [("name", name), ("kind", kind), ("from", peer), ("source", source)]
        found = asked(server, token, "/api/rules/explain", fields)
    else:
        found = _explained(rules_of(file, config_file), name, source, peer, kind)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    from rich.console import Console

    Console(highlight=False).print(_shown(found))


def rules_of(file: Path | None, config_file: Path | None) -> tuple[Rule, ...]:
    """The rules of a file of rules, else of a config.

    Raises
    ------
    ConfigError
        If it cannot be used.
    """
    if file is not None:
        return load_rules(file)
    if config_file is None:
        raise TallystickError("cannot find rules: no file was given; expected --file or --config")
    config = config_from(config_file)
    return (*config.rules, *(load_rules(config.rules_path) if config.rules_path else ()))


def _explained(rules: tuple[Rule, ...], name: str, source: str, peer: str, kind: str) -> dict[str, Any]:
    with needed("run this command", "server"):
        from tallystick.model.kind import Kind
        from tallystick.route import Facts, Naming
        from tallystick.route.explain import explain
    found = explain(Naming(rules), name, Facts(source, peer, Kind(KINDS.index(kind))))
    answer: dict[str, Any] = msgspec.to_builtins(found)
    return answer


def _shown(found: dict[str, Any]) -> RenderableType:
    """Rules that did something, each with what the names are after it; the others in a faint line each."""
    from rich.text import Text

    shown = Text()
    shown.append(f"{printable(found['normal'])}\n", "bold")
    for rule in found["rules"]:
        shown.append(f"{rule['number']:>3}  ", "dim")
        shown.append(printable(rule["rule"]), "cyan" if rule["changed"] else "dim")
        if not rule["changed"]:
            shown.append("  does nothing to it" if rule["matched"] else "  is not for it", "dim")
        elif not rule["renamed"]:
            told = ", ".join(f"{field} {value}" for field, value in rule["fields"].items())
            shown.append(f"  ({printable(told)})", "dim")
        shown.append("\n")
        if rule["renamed"]:
            for name in rule["names"]:
                shown.append(f"       {printable(name)}\n", "red" if name.endswith(")") else "")
            for name in rule["aggregates"]:
                shown.append(f"       + {printable(name)}\n", "magenta")
    if found["refused"]:
        shown.append(f"  {found['refused'].replace('_', ' ')}\n", "bold red")
    for name in found["series"]:
        shown.append("  = ", "dim")
        shown.append(f"{printable(name)}\n", "bold green")
    shown.rstrip()
    return shown
