"""``tallystick query``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import click

import tallystick
from tallystick.cli import columns
from tallystick.cli.columns import FILES
from tallystick.cli.options import token_option
from tallystick.cli.server import opened, server_asked
from tallystick.model.errors import StartError
from tallystick.model.printable import printable

_BARS = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH = 40
_SPARK_WIDTH_MIN = 8
_FIGURES = ("last", "min", "max", "avg")


@click.command("query")
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@click.option("--from", "start", default="-1h", show_default=True, help="Graphite's times: -1h, -7d, 1700000000.")
@click.option("--until", default="now", show_default=True, help="As --from.")
@server_asked
@token_option
@click.option(
    "--directory",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Read this store, also while a server has it open.",
)
@click.option("--step", help="Slots of at least this length, merged from the samples: 1m, 1h.")
@click.option(
    "--statistic", "statistics", multiple=True, help="min, max, avg, count, p99 ...; may be given several times."
)
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", *FILES]), default="table", show_default=True
)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Write here.")
def command(
    targets: tuple[str, ...],
    start: str,
    until: str,
    server: str,
    token: str | None,
    directory: Path | None,
    step: str | None,
    statistics: tuple[str, ...],
    form: str,
    output: Path | None,
) -> None:
    """Ask a server, or a store's directory, in Graphite's language.

    \b
    tallystick query '*.hosts.*.*.load.1m'
    tallystick query 'sumSeries(apps.shop.*.requests)' --from -6h
    tallystick query 'highestMax(*.hosts.*.*.cpu.user, 5)' --format csv > cpu.csv
    tallystick query '*.hosts.*.*.cpu.*' --step 1h --statistic max --statistic p99 --format parquet --output cpu.parquet
    """
    if directory is None and not (step or statistics) and form not in FILES:
        # Works where no NumPy is installed, too.
        fields = [("target", target) for target in targets] + [("from", start), ("until", until)]
        body = _get(server, [*fields, ("format", "json" if form == "table" else form)], token)
        _show(json.loads(body) if form == "table" else body, output)
        return
    with tallystick.connect(server, token=token) if directory is None else tallystick.open(directory) as database:
        result = database.query(list(targets), start, until, step=step, statistics=statistics)
    if form in FILES:
        columns.write_file(result, form, output)
    else:
        _show(columns.as_series(result) if form == "table" else columns.as_text(result, form), output)


def _show(answer: str | list[dict[str, Any]], output: Path | None) -> None:
    """A text as it is, series as a table; into a file if one is named."""
    try:
        with click.open_file(str(output or "-"), "w", encoding="utf-8") as file:
            if isinstance(answer, str):
                file.write(answer.rstrip("\n") + "\n")
            else:
                print_table(answer, file if output else None)
    except OSError as error:
        raise StartError(f"cannot write {output or 'the answer'}: {error.strerror}") from error


def _get(server: str, fields: list[tuple[str, str]], token: str | None) -> str:
    from urllib.parse import urlencode

    with opened(server, f"/render?{urlencode(fields)}", token) as response:
        return response.read().decode()


def print_table(series: list[dict[str, Any]], file: IO[str] | None = None) -> None:
    """A line for each series: its name, a sparkline, figures, as many as fit; names are broken last of all.

    Colours and the width of the window are those of a terminal; elsewhere lines are as long as they must be.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=file)
    if not series:
        console.print("no series matches")
        return
    # Names come first: one that is broken in two can neither be read nor copied.
    names = [printable(one["target"]) for one in series]
    values = [[value for value, _ in one["datapoints"]] for one in series]
    figures = [[_short(figure) for figure in _figures(one)] for one in values]
    widths = [1 + max(map(len, column)) for column in zip(_FIGURES, *figures, strict=True)]
    longest = max(map(len, names))
    if not console.is_terminal:  # nobody's window is too narrow
        console.width = max(console.width, longest + sum(widths) + 1 + _SPARK_WIDTH_MIN)
    while len(widths) > 1 and longest + sum(widths) > console.width:
        widths.pop()
    width = min(_SPARK_WIDTH, console.width - longest - sum(widths) - 1)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("series", overflow="fold")
    if width >= _SPARK_WIDTH_MIN:
        table.add_column("", no_wrap=True)
    for heading in _FIGURES[: len(widths)]:
        table.add_column(heading, justify="right", no_wrap=True)
    for name, one, texts in zip(names, values, figures, strict=True):
        line = [sparkline(one, width)] if width >= _SPARK_WIDTH_MIN else []
        table.add_row(Text(name), *line, *texts[: len(widths)])
    console.print(table)
    console.print(Text(_range_of(series), style="dim"))


def _figures(values: list[float | None]) -> list[float | None]:
    """Last, smallest, largest, and the mean; None where nothing is known."""
    known = [value for value in values if value is not None]
    return [known[-1], min(known), max(known), sum(known) / len(known)] if known else [None] * len(_FIGURES)


def _range_of(series: list[dict[str, Any]]) -> str:
    """From when until when the slots are, and how long: ``06:00 to 06:50 UTC, 6 slots of 10 minutes``."""
    times = [at for one in series for _, at in one["datapoints"]]
    if not times:
        return "no slots"
    first, last = (datetime.fromtimestamp(at, UTC) for at in (min(times), max(times)))
    form = "%H:%M:%S" if first.date() == last.date() else "%Y-%m-%d %H:%M"
    told = f"{first:{form}} to {last:{form}} UTC"
    steps = {later - one for line in series for (_, one), (_, later) in pairwise(line["datapoints"])}
    if len(steps) != 1:
        return told
    return f"{told}, {max(len(one['datapoints']) for one in series):,} slots of {_length(steps.pop())}"


def _length(seconds: int) -> str:
    for unit_s, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % unit_s == 0:
            count = seconds // unit_s
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{seconds} s"


def sparkline(values: list[float | None], width: int = _SPARK_WIDTH) -> str:
    """`values` as a line of up to `width` bars between their minimum and maximum; gaps are spaces.

    Where several values share a bar it shows their maximum, so that a peak is not lost.
    """
    width = min(width, len(values))
    columns = [values[len(values) * i // width : len(values) * (i + 1) // width] for i in range(width)]
    peaks = [max((value for value in column if value is not None), default=None) for column in columns]
    known = [peak for peak in peaks if peak is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(" " if peak is None else _BARS[round((peak - low) * scale)] for peak in peaks)


def _short(value: float | None) -> str:
    if value is None:
        return "-"
    for power, letter in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if abs(value) >= 10**power:
            return f"{value / 10**power:.2f}{letter}"
    return f"{value:.4g}"
