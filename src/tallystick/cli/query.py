"""``tallystick query``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

import tallystick
from tallystick.cli import columns
from tallystick.cli.columns import FILES
from tallystick.model.errors import QueryError, StartError, TallystickError
from tallystick.model.printable import printable

if TYPE_CHECKING:
    from urllib.error import HTTPError

_BARS = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH = 40
_SPARK_WIDTH_MIN = 8
_FIGURES_WIDTH = 44


@click.command("query")
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@click.option("--from", "start", default="-1h", show_default=True, help="Graphite's times: -1h, -7d, 1700000000.")
@click.option("--until", default="now", show_default=True, help="As --from.")
@click.option("--server", default="http://127.0.0.1:8080", show_default=True, envvar="TALLYSTICK_SERVER")
@click.option("--token", envvar="TALLYSTICK_TOKEN", help="If the server asks for one; or set TALLYSTICK_TOKEN.")
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
    tallystick query 'hosts.*.load.1m'
    tallystick query 'sumSeries(apps.shop.*.requests)' --from -6h
    tallystick query 'highestMax(hosts.*.cpu.user, 5)' --format csv > cpu.csv
    tallystick query 'hosts.*.cpu.*' --step 1h --statistic max --statistic p99 --format parquet --output cpu.parquet
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
                _print_table(answer, file if output else None)
    except OSError as error:
        raise StartError(f"cannot write {output or 'the answer'}: {error.strerror}") from error


def _get(server: str, fields: list[tuple[str, str]], token: str | None) -> str:
    from urllib.error import HTTPError
    from urllib.parse import urlencode
    from urllib.request import Request, urlopen

    if not server.startswith(("http://", "https://")):
        raise click.BadParameter(f"{server!r} is no address; expected http://host:port", param_hint="--server")
    request = Request(f"{server.rstrip('/')}/render?{urlencode(fields)}")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urlopen(request, timeout=60) as response:
            text: str = response.read().decode()
            return text
    except HTTPError as error:
        raise QueryError(_told(error)) from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise TallystickError(f"cannot ask {server}: {reason}; expected a running 'tallystick serve' there") from error


def _told(error: HTTPError) -> str:
    """The server's own sentence, or what HTTP says."""
    body = error.read(65536).decode(errors="replace").strip()
    try:
        told = json.loads(body)
    except ValueError:
        told = body
    if isinstance(told, dict):
        told = told.get("error") or told.get("message") or body
    return str(told) or f"cannot query: the server answers {error.code} {error.reason}"


def _print_table(series: list[dict[str, Any]], file: IO[str] | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=file)
    # Names come first: one that is broken in two can neither be read nor copied.
    names = [printable(one["target"]) for one in series]
    longest = max(map(len, names), default=0)
    width = max(_SPARK_WIDTH_MIN, min(_SPARK_WIDTH, console.width - _FIGURES_WIDTH - longest))
    table = Table(box=None, pad_edge=False)
    table.add_column("series", overflow="fold")
    table.add_column("", no_wrap=True)
    for heading in ("last", "min", "max", "avg"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, one in zip(names, series, strict=True):
        values = [value for value, _ in one["datapoints"]]
        known = [value for value in values if value is not None]
        figures = [known[-1], min(known), max(known), sum(known) / len(known)] if known else [None] * 4
        table.add_row(Text(name), sparkline(values, width), *(_short(figure) for figure in figures))
    console.print(table if series else "no series matches")


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
