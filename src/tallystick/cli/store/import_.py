"""``tallystick store import``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.cli.options import server_option, token_option
from tallystick.cli.store._place import place_from, place_options
from tallystick.cli.store._progress import bar
from tallystick.model.errors import TallystickError
from tallystick.model.extras import needed

if TYPE_CHECKING:
    from tallystick.exchange.incoming import Incoming
    from tallystick.model.retention import RetentionRule
    from tallystick.store.history import History, Loaded, Overlap

FORMATS = ("csv", "istatd", "parquet", "rrd", "whisper")
_TOLD_MAX = 20


@click.command("import")
@click.argument("form", metavar="FORMAT", type=click.Choice(FORMATS))
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@place_options
@server_option
@token_option
@click.option("--rename", "renames", metavar="'REGEX -> NAME'", multiple=True, help="Names that match become NAME.")
@click.option("--prefix", default="", help="Put before every name, after renaming.")
@click.option("--overlap", type=click.Choice(["skip", "merge"]), default="skip", show_default=True)
@click.option("--dry-run", is_flag=True, help="Say what would come, and change nothing.")
def command(
    form: str,
    paths: tuple[Path, ...],
    config_file: Path | None,
    directory: Path | None,
    server: str | None,
    token: str | None,
    renames: tuple[str, ...],
    prefix: str,
    overlap: str,
    dry_run: bool,
) -> None:
    """Take in history: csv, istatd, parquet, rrd or whisper files, or trees of them.

    \b
    tallystick store import whisper /var/lib/graphite/whisper --dry-run
    tallystick store import whisper /var/lib/graphite/whisper --directory /var/lib/tallystick
    tallystick store import rrd /var/lib/collectd/rrd --server http://127.0.0.1:8080
    tallystick store import parquet sales.parquet --rename '^shop\\.(.*) -> apps.shop.\\1'

    What the store has already stays ('skip'), so that an import can be repeated; with 'merge' both count. A directory
    is taken for itself: stop the server first, or give --server.
    """
    with needed("run this command", "server"):
        from tallystick.exchange.incoming import Incoming, renaming
        from tallystick.exchange.registry import readers
        from tallystick.store.history import Overlap
        from tallystick.store.loading.bulk import BulkLoader
    try:
        rename = renaming([_rule(text) for text in renames], prefix)
    except (re.error, IndexError) as error:  # the latter of a group that there is not
        raise click.BadParameter(f"cannot read regular expression: {error}", param_hint="--rename") from error
    incoming = Incoming(readers()[form], paths, rename)
    if dry_run:
        _follow(incoming, lambda piece: None)
        click.echo(incoming.summary())
    else:
        place = place_from(config_file, directory)
        with _destination(place, server, token, Overlap(overlap)) as take, BulkLoader(take) as bulk:
            _follow(incoming, bulk.add)
        _report(bulk.loaded, incoming)
    _tell_passed_over(incoming)


def _rule(text: str) -> tuple[str, str]:
    pattern, arrow, replacement = text.partition(" -> ")
    if not arrow:
        raise click.BadParameter(f"cannot read {text!r}; expected 'regex -> replacement'", param_hint="--rename")
    return pattern, replacement


@contextmanager
def _destination(
    place: tuple[Path, tuple[RetentionRule, ...]], server: str | None, token: str | None, overlap: Overlap
) -> Iterator[Callable[[History], Loaded]]:
    if server is not None:
        from tallystick.exchange.sending import Sending

        yield Sending(server, token, overlap).load
        return
    from tallystick.model.clock import SystemClock
    from tallystick.store.embedded import EmbeddedStore

    directory, rules = place
    store = EmbeddedStore(directory, rules, SystemClock())
    try:
        with store.loading(overlap) as loading:
            yield loading.add
    finally:
        store.close()


def _follow(incoming: Incoming, add: Callable[[History], None]) -> None:
    """Hand on all pieces, with a bar that says how far they have come."""
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with bar(*columns) as shown:
        task = shown.add_task("", total=incoming.size_bytes or None)
        for piece in incoming:
            add(piece)
            rate = incoming.rows / max(shown.tasks[0].elapsed or 0.0, 0.1)
            shown.update(
                task, completed=incoming.came_bytes, description=f"{incoming.rows:,} points, {rate:,.0f} a second"
            )


def _report(loaded: Loaded, incoming: Incoming) -> None:
    click.echo(f"{loaded.taken:,} slots taken")
    if loaded.present:
        click.echo(f"{loaded.present:,} were there already")
    if loaded.out_of_time:
        click.echo(f"{loaded.out_of_time:,} are older than anything is kept, or lie in the future")
    if loaded.refused:
        click.echo(f"{loaded.refused:,} refused: their series are of another kind, or their names or numbers are none")


def _tell_passed_over(incoming: Incoming) -> None:
    told = incoming.passed_over
    if told:
        more = [f"... and {len(told) - _TOLD_MAX} more"] if len(told) > _TOLD_MAX else []
        raise TallystickError("\n".join([*told[:_TOLD_MAX], *more]))
