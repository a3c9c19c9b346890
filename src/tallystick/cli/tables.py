"""Tables of text, for terminals and for pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tallystick.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from rich.console import Console
    from rich.table import Table

_WIDTH_OF_A_PIPE = 500


def unbroken() -> Console:
    """As wide as the terminal; for a program, which no line is broken for, as wide as lines get."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH_OF_A_PIPE)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], counts: Collection[str] = ()) -> Table:
    """Columns of text, whoever wrote it.

    Parameters
    ----------
    counts
        Headings of numbers: they are never broken, and end below each other.
    """
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False)
    for heading in headings:
        is_count = heading in counts
        made.add_column(heading, overflow="fold", justify="right" if is_count else "left", no_wrap=is_count)
    for row in rows:
        made.add_row(*(Text(printable(cell)) for cell in row))
    return made
