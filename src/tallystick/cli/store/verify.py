"""``tallystick store verify``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from tallystick.cli.store._place import place_from, place_options
from tallystick.cli.store._progress import progress, size_of
from tallystick.model.extras import needed


@click.command("verify")
@place_options
@click.option("--rate", metavar="MB", type=click.FloatRange(min=0.1), help="Read no more than this, in MB a second.")
@click.pass_context
def command(ctx: click.Context, config_file: Path | None, directory: Path | None, rate: float | None) -> None:
    """Read everything and verify all checksums; exit status 1 if something is damaged.

    \b
    tallystick store verify --directory /var/lib/tallystick --rate 20

    The server may run meanwhile; nothing is written. (It does the same by itself, once a week: store.scrub_days.)
    """
    with needed("run this command", "server"):
        from tallystick.store.upkeep.scrub import Scrub
        from tallystick.store.view import StoreView
    place, rules = place_from(config_file, directory)
    view = StoreView(place, rules)
    scrub = Scrub(place, view.manifest)
    done, total = 0, scrub.total_bytes()
    wait = _pace(rate * 1e6 if rate else 0.0)
    with progress("verify") as tell:
        for read in scrub:
            done += read
            tell(done, total)
            wait(done)
    problems = list(dict.fromkeys([*view.problems(), *scrub.problems]))
    for problem in problems:
        click.echo(problem)
    if problems:
        ctx.exit(1)
    click.echo(f"{place} is whole: {len(view.manifest.blocks)} blocks, {size_of(done)}.")


def _pace(bytes_per_s: float) -> Callable[[int], None]:
    """Waits, given how many bytes are done, until no more than so many a second are; at once, if there is no limit."""
    import time

    began = time.monotonic()

    def wait(done: int) -> None:
        if bytes_per_s:
            time.sleep(max(0.0, began + done / bytes_per_s - time.monotonic()))

    return wait
