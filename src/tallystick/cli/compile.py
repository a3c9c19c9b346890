"""``tallystick compile``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from tallystick.model.extras import needed

if TYPE_CHECKING:
    from tallystick.warm import Report


@click.command("compile")
def command() -> None:
    """Compile everything now, so that nobody waits for it.

    The first start compiles what every server needs, and the first bytes of a further protocol its parser, which takes
    seconds each. This does all of it: when an image or a package is built, or a machine prepared.

    \b
    tallystick compile
    XDG_CACHE_HOME=/var/cache tallystick compile     where the service keeps compiled code
    """
    with needed("run this command", "server"):
        from tallystick.warm import warm_protocols, warm_up
    with_progress("Compiling for this machine.", warm_up)
    with_progress("Compiling the parsers of all protocols.", warm_protocols)


def with_progress(sentence: str, work: Callable[[Report], None]) -> None:
    """Do what takes long behind a bar."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    console.print(sentence)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        work(lambda share, what: bar.update(task, completed=share, description=what))
