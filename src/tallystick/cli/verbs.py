"""The verbs of ``tallystick``: one file for each, loaded when it is asked for.

Whatever goes wrong is told in one sentence for each problem on stderr. Exit status 2 is wrong usage, 3 a config or an
environment that keeps a program from starting, 1 anything else.
"""

from importlib import import_module

import click

from tallystick import __version__
from tallystick.model.errors import ConfigError, StartError, StoreError, TallystickError

# In the order in which a newcomer needs them; each is a module of this package with a command of that name.
_VERBS = (
    "serve",
    "demo",
    "agent",
    "send",
    "run",
    "logs",
    "query",
    "ledger",
    "block",
    "unblock",
    "cardinality",
    "rules",
    "tail",
    "poll",
    "store",
    "check",
    "config",
    "compile",
)


class Verbs(click.Group):
    """Finds commands by the name of their file, and tells errors in a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        command: click.Command = import_module(f"tallystick.cli.{cmd_name}").command
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (ConfigError, StartError, StoreError) as error:
            click.echo(str(error), err=True)
            ctx.exit(3)
        except TallystickError as error:
            click.echo(str(error), err=True)
            ctx.exit(1)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tallystick")
def verbs() -> None:
    """A metrics platform whose numbers add up: from the line of code that counts to the graph.

    \b
    tallystick serve                         graphs of this machine on http://127.0.0.1:8080
    tallystick demo                          the same for an invented fleet of 200 hosts
    tallystick send app.signups 1 --counter  count something from a script
    tallystick query '*.hosts.*.*.load.1m'   look at it in the terminal
    tallystick ledger                        what became of everything that was sent

    'tallystick COMMAND --help' shows more examples.
    """
