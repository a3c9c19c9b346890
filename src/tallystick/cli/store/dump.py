"""``tallystick store dump``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tallystick.cli.store._place import place_from, place_options
from tallystick.cli.store._selection import selected, selection_options
from tallystick.model.extras import needed
from tallystick.model.printable import printable

if TYPE_CHECKING:
    from tallystick.store.history import History

_BLOCK = ".block"
_COLUMNS = ("count", "sum", "m2", "min", "max", "last")


@click.command("dump")
@click.argument("pattern", metavar="[PATTERN | FILE.block]", required=False)
@place_options
@selection_options
def command(
    pattern: str | None, config_file: Path | None, directory: Path | None, start: str | None, until: str | None
) -> None:
    """Show slots with all of their statistics, or what is in a block.

    \b
    tallystick store dump 'prod.hosts.web.web1.cpu.*' --from -10min
    tallystick store dump /var/lib/tallystick/blocks/0000000031.block

    A series and its kind is a line; each of its slots follows: time, step, and the statistics. Of timings the number of
    buckets, of sets the size of the sketch is shown behind them. The server may run meanwhile.
    """
    if pattern is not None and pattern.endswith(_BLOCK) and Path(pattern).is_file():
        with needed("run this command", "server"):
            from tallystick.store.blocks.portrait import describe
        for line in describe(Path(pattern)):
            click.echo(line)
        return
    with needed("run this command", "server"):
        from tallystick.store.outgoing import pieces
        from tallystick.store.view import StoreView
    store = StoreView(*place_from(config_file, directory))
    chosen = selected(store, [pattern] if pattern else [], start, until)
    for piece in pieces(store, chosen.ids, chosen.span):
        for line in _lines(piece):
            click.echo(line)
    for problem in store.problems():
        click.echo(problem, err=True)


def _lines(piece: History) -> Iterator[str]:
    tally, full = piece.tally, piece.tally.full
    columns = (full.count, full.sum, full.m2, full.min, full.max, tally.last)
    buckets = [0] * len(tally) if tally.histograms is None else _lengths(tally.histograms.offset.tolist())
    sketch = [0] * len(tally) if tally.sketches is None else _lengths(tally.sketches.offset.tolist())
    shown = -1
    rows = zip(tally.series.tolist(), tally.slot.tolist(), *(column.tolist() for column in columns), strict=True)
    for k, (series, slot, *statistics) in enumerate(rows):
        if series != shown:
            shown = series
            yield f"{printable(piece.names[series])} ({piece.kinds[series].name.lower()})"
        moment = datetime.fromtimestamp(slot * tally.step_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
        text = " ".join(f"{name}={value:.10g}" for name, value in zip(_COLUMNS, statistics, strict=True))
        more = (f" buckets={buckets[k]}" if buckets[k] else "") + (f" sketch={sketch[k]}B" if sketch[k] else "")
        yield f"  {moment} {tally.step_s}s {text}{more}"


def _lengths(offset: list[int]) -> list[int]:
    return [end - begin for begin, end in pairwise(offset)]
