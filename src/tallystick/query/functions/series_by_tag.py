from tallystick.model.errors import QueryError
from tallystick.query.context import Context
from tallystick.query.fetch import fetch_tagged
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("seriesByTag", group="Special", transparent=True)
def series_by_tag(context: Context, *tagExpressions: str) -> SeriesList:
    """Series by their tags: ``tag=value``, ``tag!=value``, ``tag=~regex``, ``tag!=~regex``; all must match."""
    if not tagExpressions:
        raise QueryError("cannot call seriesByTag: no tag expressions; expected at least one such as 'name=cpu'")
    return fetch_tagged(context, tagExpressions, context.call)
