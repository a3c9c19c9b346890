"""``tallystick store info``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.cli.options import server_extra
from tallystick.cli.store._closed import size_of
from tallystick.cli.store._place import place_from, place_options

if TYPE_CHECKING:
    from tallystick.store.summary import Summary


@click.command("info")
@place_options
@click.option("--slots", is_flag=True, help="Count the slots, and say how many bytes each takes: reads every block.")
def command(config_file: Path | None, directory: Path | None, slots: bool) -> None:
    """Show what is in a store: series, blocks by resolution, the log, damage.

    \b
    tallystick store info --directory /var/lib/tallystick

    The server may run meanwhile.
    """
    with server_extra():
        from tallystick.store.summary import summarize
    _print(summarize(*place_from(config_file, directory), count_slots=slots))


def _print(found: Summary) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="dim")
    facts.add_column()
    facts.add_row("store", f"{found.directory}, format {found.format_version}")
    facts.add_row("open", "by a server" if found.is_open else "by nobody")
    facts.add_row("series", f"{found.series:,}")
    facts.add_row("oldest", _moment(found.oldest_s))
    facts.add_row("newest", _moment(found.newest_s))
    facts.add_row("log", f"{found.segments} segments, {size_of(found.log_bytes)}, {found.head_rows:,} rows in no block")
    facts.add_row("verified", _moment(found.scrubbed_s))
    facts.add_row("damaged", f"[red]{found.damaged} files in damaged/[/]" if found.damaged else "nothing")
    console.print(facts)
    table = Table(
        title=f"{sum(row.blocks for row in found.rows)} blocks", title_justify="left", pad_edge=False, box=None
    )
    for heading in ("retention", "step", "from", "until"):
        table.add_column(heading, no_wrap=True)
    for heading in ("blocks", "series", "slots", "size", "bytes/slot"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in found.rows:
        counted = (f"{row.slots:,}", f"{row.file_bytes / row.slots:.2f}") if row.slots else ("-", "-")
        table.add_row(
            row.retention,
            f"{row.step_s}s",
            _moment(row.start_s),
            _moment(row.end_s),
            f"{row.blocks:,}",
            f"{row.series:,}",
            counted[0],
            size_of(row.file_bytes),
            counted[1],
        )
    if found.rows:
        console.print(table)
    for problem in found.problems:
        console.print(f"[red]{problem}[/]")


def _moment(epoch_s: int | None) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M UTC") if epoch_s else "never"
