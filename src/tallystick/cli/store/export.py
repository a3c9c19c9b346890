"""``tallystick store export``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from errno import EIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.cli.store._place import place_from, place_options
from tallystick.cli.store._progress import bar
from tallystick.cli.store._selection import selected, selection_options
from tallystick.model.errors import StartError
from tallystick.model.extras import needed

if TYPE_CHECKING:
    from tallystick.store.history import History

FORMATS = ("csv", "parquet")


@click.command("export")
@click.argument("patterns", metavar="[PATTERN]...", nargs=-1)
@place_options
@selection_options
@click.option("--step", metavar="LENGTH", help="Merge into slots of this length, as in 5m; by default as kept.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="parquet", show_default=True)
@click.option("--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
def command(
    patterns: tuple[str, ...],
    config_file: Path | None,
    directory: Path | None,
    start: str | None,
    until: str | None,
    step: str | None,
    form: str,
    output: Path,
) -> None:
    """Write the slots of series to a file, with all of their statistics.

    \b
    tallystick store export --output everything.parquet
    tallystick store export '*.hosts.*.*.cpu.*' --from -7d --step 1m --format csv --output cpu.csv

    The server may run meanwhile: what is written is the store of the moment of the start.
    """
    with needed("run this command", "server"):
        from tallystick.exchange.registry import writers
        from tallystick.store.outgoing import pieces
        from tallystick.store.view import StoreView
    store = StoreView(*place_from(config_file, directory))
    chosen = selected(store, patterns, start, until, step)
    rows = 0

    def followed() -> Iterator[History]:
        nonlocal rows
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

        seen = 0
        shape = (BarColumn(), MofNCompleteColumn(), TextColumn("series, {task.description}"), TimeRemainingColumn())
        with bar(*shape) as shown:
            task = shown.add_task("", total=len(chosen.ids))
            last: object = None
            for piece in pieces(store, chosen.ids, chosen.span, chosen.step_s):
                yield piece
                rows += len(piece)
                if list(piece.names) != last:
                    last = list(piece.names)
                    seen += len(piece.names)
                shown.update(task, completed=seen, description=f"{rows:,} slots")

    try:
        writers()[form](output, followed())
    except OSError as error:
        raise StartError(f"cannot write {output}: {os.strerror(error.errno or EIO)}") from error
    click.echo(f"{rows:,} slots of {len(chosen.ids):,} series written to {output}")
    for problem in store.problems():
        click.echo(problem, err=True)
