"""``tallystick query`` by a `Database`: from a store's directory, with several statistics, into files of columns."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallystick.model.errors import QueryError, StartError
from tallystick.model.extras import needed

if TYPE_CHECKING:
    from tallystick.database import Result

FILES = ("parquet", "arrow")
"""Formats that are no text."""


def write_file(result: Result, form: str, output: Path | None) -> None:
    """Write a row for each series and slot that has a value into a file.

    Raises
    ------
    QueryError
        If no file is named.
    StartError
        If it cannot be written.
    """
    if output is None:
        raise QueryError(f"cannot write {form} to a terminal: expected --output FILE")
    table = result.to_arrow("long")
    with needed("run this command", "server"):
        import pyarrow.feather
        import pyarrow.parquet
    try:
        if form == "parquet":
            pyarrow.parquet.write_table(table, output)
        else:
            pyarrow.feather.write_feather(table, str(output), compression="uncompressed")
    except OSError as error:
        raise StartError(f"cannot write {output}: {error.strerror or error}") from error


def as_text(result: Result, form: str) -> str:
    """The result as the server's ``/render`` would write it, as csv or json."""
    with needed("run this command", "server"):
        from tallystick.model.grid import Grid, Row
        from tallystick.render import Options, render
    grids = []
    for word, values in result.columns.items():
        names = [_named(name, word) for name in result.names]
        rows = tuple(Row(name, name, tags) for name, tags in zip(names, result.tags, strict=True))
        grids.append(Grid(values, rows, result.start_s, result.step_s))
    body = render(form, grids if len(result) else [], Options()).body
    return (body if isinstance(body, bytes) else b"".join(body)).decode()


def as_series(result: Result) -> list[dict[str, Any]]:
    """The series of a result as those of the server's JSON."""
    times = [result.start_s + result.step_s * i for i in range(result.slots)]
    return [
        {
            "target": _named(name, word),
            "datapoints": [(None if isnan(value) else value, at) for value, at in zip(row, times, strict=True)],
        }
        for word, values in result.columns.items()
        for name, row in zip(result.names, values.tolist(), strict=True)
    ]


def _named(name: str, word: str) -> str:
    """A series with its statistic, in the words of the query language."""
    if word == "default":
        return name
    return f"percentile({name},{word[1:]})" if word[1:2].isdigit() else f'stat({name},"{word}")'
