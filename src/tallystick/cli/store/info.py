"""``tallystick store info``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.cli.store._place import place_from, place_options
from tallystick.cli.store._progress import size_of
from tallystick.cli.tables import unbroken
from tallystick.model.extras import needed

if TYPE_CHECKING:
    from rich.table import Table

    from tallystick.store.summary import Summary, SummaryRow


@click.command("info")
@place_options
@click.option("--slots", is_flag=True, help="Count the slots, and say how many bytes each takes: reads every block.")
def command(config_file: Path | None, directory: Path | None, slots: bool) -> None:
    """Show what is in a store: series, blocks by resolution, the log, damage.

    \b
    tallystick store info --directory /var/lib/tallystick

    The server may run meanwhile.
    """
    with needed("run this command", "server"):
        from tallystick.store.summary import summarize
    _print(summarize(*place_from(config_file, directory), count_slots=slots))


def _print(found: Summary) -> None:
    from rich.table import Table
    from rich.text import Text

    console = unbroken()
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="dim")
    facts.add_column()
    facts.add_row("store", Text(f"{found.directory}, format {found.format_version}"))
    facts.add_row("open", "by a server" if found.is_open else "by nobody")
    facts.add_row("series", f"{found.series:,}")
    facts.add_row("oldest", _moment(found.oldest_s))
    facts.add_row("newest", _moment(found.newest_s))
    facts.add_row("log", f"{found.segments} segments, {size_of(found.log_bytes)}, {found.head_rows:,} rows in no block")
    facts.add_row("verified", _moment(found.scrubbed_s))
    facts.add_row("damaged", f"[red]{found.damaged} files in damaged/[/]" if found.damaged else "nothing")
    console.print(facts)
    for retention in dict.fromkeys(row.retention for row in found.rows):
        console.print()
        console.print(Text(retention), soft_wrap=True)
        console.print(_resolutions([row for row in found.rows if row.retention == retention]))
    for problem in found.problems:
        console.print(Text(problem, "red"), soft_wrap=True)


def _resolutions(rows: list[SummaryRow]) -> Table:
    """A line for each resolution of a retention."""
    from rich.table import Table

    table = Table(pad_edge=False, collapse_padding=True, box=None)
    for heading in ("step", "from", "until"):
        table.add_column(heading, no_wrap=True)
    for heading in ("blocks", "series", "size", *(("slots", "bytes/slot") if any(row.slots for row in rows) else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        counted = (f"{row.slots:,}", f"{row.file_bytes / row.slots:.2f}") if row.slots else ()
        fixed = (f"{row.step_s}s", _moment(row.start_s), _moment(row.end_s), f"{row.blocks:,}", f"{row.series:,}")
        table.add_row(*fixed, size_of(row.file_bytes), *counted)
    return table


def _moment(epoch_s: int | None) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%MZ") if epoch_s else "never"
