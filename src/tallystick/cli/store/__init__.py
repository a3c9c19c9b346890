"""``tallystick store``: what can be done with a store itself, one file for each command.

A file ``name.py`` here is a command ``name`` (``import_.py`` is ``import``, which Python keeps for itself); its click
command is called ``command``. Files whose names begin with ``_`` are shared by commands.
"""

from importlib import import_module
from pkgutil import iter_modules

import click


class StoreCommands(click.Group):
    """Finds commands by the names of their files."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_modules())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _modules().get(cmd_name)
        if module is None:
            return None
        found: click.Command = import_module(f"{__name__}.{module}").command
        return found


def _modules() -> dict[str, str]:
    """The file of each command, by its name."""
    files = [module.name for module in iter_modules(__path__) if not module.name.startswith("_")]
    return {file.rstrip("_"): file for file in files}


@click.group("store", cls=StoreCommands)
def command() -> None:
    """Look at a store, mend it, and take data in and out.

    \b
    tallystick store COMMAND --help
    """
