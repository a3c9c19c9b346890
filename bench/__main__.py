"""``python -m bench [NAME ...]``: run benchmarks and print a line a figure."""

from importlib import import_module
from pathlib import Path

import click

from bench.figure import BENCHMARKS, Figure, load
from bench.results import Section, write
from bench.server import running

_SUBJECTS = (
    *(
        "parse",
        "rules",
        "protocols",
        "carbon",
        "statsd",
        "steady",
        "stall",
        "overload",
        "disk",
        "memory",
        "loading",
        "reading",
        "functions",
        "queries",
        "viewers",
        "door",
        "names",
        "start",
        "host",
        "delivery",
        "services",
        "sensors",
        "agent_doors",
        "web_apps",
        "relay",
    ),
    *("peer", "peer_store", "whisper", "graphite_web"),
)
"""Files of benchmarks, in the order of being run."""


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME ...]")
@click.option("--list", "listing", is_flag=True, help="Tell what there is, and end.")
@click.option(
    "--peer",
    "with_peer",
    is_flag=True,
    help="Run VictoriaMetrics, carbon with whisper and graphite-web at the same work, too.",
)
@click.option("--results", type=click.Path(path_type=Path), help="Write the figures into this file, above its notes.")
def main(names: tuple[str, ...], listing: bool, with_peer: bool, results: Path | None) -> None:
    """Run the benchmarks of these names, or all but the peer's."""
    for subject in _SUBJECTS:
        import_module(f"bench.{subject}")
    if listing:
        for one in BENCHMARKS.values():
            click.echo(f"{one.name:14s} {one.about}")
        return
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise click.UsageError(
            f"cannot run {unknown[0]!r}: there is no such benchmark; expected one of {', '.join(BENCHMARKS)}"
        )
    chosen = [b for b in BENCHMARKS.values() if (b.name in names if names else with_peer or not b.peer)]
    with running():
        pass  # the first start of an installation compiles; no figure is about that
    sections: list[Section] = []
    for one in chosen:
        click.echo(f"{one.name}: {one.about}")
        before, figures = load(), list[Figure]()
        for figure in one.run():
            click.echo(f"  {figure.line()}")
            figures.append(figure)
        sections.append((one, figures, before))
        if results is not None:
            write(results, sections)  # after each: a run takes long, and may be ended


if __name__ == "__main__":
    main()
