"""Making one series of many, and finding the many that belong together: shared by the functions that combine."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import numpy as np

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid, Row
from tallystick.query.align import aligned
from tallystick.query.context import Context, as_series
from tallystick.query.grammar import Call, Node, Path, Template, parse_beginning
from tallystick.query.reduce import OF_NOTHING, Values, enough, is_reduction, known_count, reduction, short_name
from tallystick.query.registry import FUNCTIONS
from tallystick.query.series import SeriesList, common_tags, consolidations_of, first_share, paths_of


def row_share(context: Context, rows: Sequence[Row], given: float | None = None) -> float:
    """The xFilesFactor that counts: the argument, else what setXFilesFactor() left on a row, else the request's."""
    if given is not None:
        return given
    marked = first_share(rows)
    return context.x_files_factor if marked is None else marked


def aggregated(context: Context, series: SeriesList, word: str, x_files_factor: float | None = None) -> SeriesList:
    """One series: at each moment the reduction `word` over all of `series`; empty if there are none.

    It is named after the paths of its inputs, as in Graphite, and keeps the tags that they share.
    """
    if not len(series):
        return series
    share = row_share(context, series.rows, x_files_factor)
    grid = aligned(series, share)
    reduce = reduction(word)
    with np.errstate(all="ignore"):
        values = reduce(grid.values, 0)
    if share > 0 or reduce in OF_NOTHING:  # else what is known is counted in vain
        values = np.where(enough(known_count(grid.values, 0), len(grid), share), values, np.nan)
    name = f"{short_name(word)}Series({paths_of(grid.rows)})"
    tags = {"name": name} | common_tags(grid.rows) | {"aggregatedBy": short_name(word)}
    return single(name, values, grid, tags=tags, x_files_factor=x_files_factor)


def single(
    name: str,
    values: Values,
    line: Grid,
    *,
    tags: dict[str, str] | None = None,
    path: str | None = None,
    x_files_factor: float | None = None,
) -> SeriesList:
    """A list of one new series on the time line of `line`."""
    shared = consolidations_of(line.rows)
    consolidation = shared.pop() if len(shared) == 1 else "average"
    row = Row(name, path or name, tags or {"name": name}, consolidation, x_files_factor)
    return SeriesList((Grid(np.asarray(values, np.float64)[np.newaxis], (row,), line.start_s, line.step_s),))


def combiner(context: Context, word: str) -> Callable[[SeriesList], SeriesList]:
    """What a callback names: a function that combines, such as ``sumSeries``, or a reduction, such as ``median``.

    Raises
    ------
    QueryError
        If it names neither.
    """
    found = FUNCTIONS.get(word)
    if found is not None and found.combines:
        return lambda series: as_series(found.call(context, *found.bind([series], {})[0]), word)
    if is_reduction(word):
        return lambda series: aggregated(context, series, word)
    raise QueryError(
        f"cannot combine series by {word!r}: expected an aggregation such as sum, or a function such as maxSeries"
    )


def grouped(series: SeriesList, key: Callable[[Row], str]) -> dict[str, SeriesList]:
    """The series by key, keys in the order in which they appear."""
    members: dict[str, list[int]] = {}
    for i, row in enumerate(series.rows):
        members.setdefault(key(row), []).append(i)
    return {one: series.pick(positions) for one, positions in members.items()}


def combined_groups(
    context: Context,
    series: SeriesList,
    key: Callable[[Row], str],
    word: str,
    finish: Callable[[Row, str], Row] = Row.named,
) -> SeriesList:
    """Each group made into one series; `finish` gives it the name that is its key."""
    combine = combiner(context, word)

    def one_group(name: str, members: SeriesList) -> SeriesList:
        return combine(members).pick([0]).with_rows(lambda row: finish(row, name))

    return merged_grids([one_group(name, members) for name, members in grouped(series, key).items()])


def merged_grids(lists: Iterable[SeriesList]) -> SeriesList:
    """Lists one after the other, neighbours with the same time line in one grid."""
    return SeriesList.of(one for single_list in lists for one in single_list)


def node_key(row: Row, nodes: Sequence[int | str]) -> str:
    """The parts of a name that `nodes` select, joined by dots: numbers select parts, words select tags.

    If the name is a call, the first path in it counts. A part that is not there is looked up as a tag, and is
    empty if that is missing too: Graphite's rule.
    """
    name = _first_path(row.name) if row.name.endswith(")") else row.name
    parts = name.split(";", 1)[0].split(".")
    return ".".join(_part(parts, row, node) for node in nodes)


def _part(parts: Sequence[str], row: Row, node: int | str) -> str:
    if isinstance(node, int) and -len(parts) <= node < len(parts):
        return parts[node]
    return row.tags.get(str(node), "")


@lru_cache(maxsize=4096)
def _first_path(name: str) -> str:
    """The first path in a name that is a call; the name itself if there is none in it."""
    try:
        node: Node = parse_beginning(name)
    except QueryError:
        return name
    while True:
        match node:
            case Path():
                return node.pattern
            case Call(arguments=(inner, *_)) | Template(body=inner):
                node = inner
            case _:
                return name
