"""``POST /collectd``: what collectd's plugin ``write_http`` posts, value lists as JSON or as commands.

- **Answers.** 200 with what was stored and rejected, once it is on disk: the plugin looks at nothing but whether the
  status is below 400. What is rejected is in the ledger; an error would only have the plugin log it and drop the rest.
- **Rates.** ``?store_rates=true`` says that the plugin has ``StoreRates true``: all values are gauges then.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.parse.collectd import CollectdPostParser
from tallystick.web.errors import BodyError
from tallystick.web.writes.writing import Writing

PATH = "/collectd"
_RATES = {"": False, "false": False, "true": True}


def routes(writing: Writing) -> list[BaseRoute]:
    """The route that ``URL`` of the plugin names."""
    taker = writing.taker(PATH)
    parsers = {rates: CollectdPostParser(rates=rates) for rates in (False, True)}

    async def post(request: Request) -> Response:
        word = request.query_params.get("store_rates", "")
        if word not in _RATES:
            raise BodyError(400, f"cannot use store_rates={word[:20]!r}; expected true or false")
        written = await taker.take(request, parsers[_RATES[word]])
        answer = msgspec.json.encode({"stored": written.stored, "rejected": written.rejected})
        return Response(answer, 503 if written.is_store_full else 200, media_type="application/json")

    return [Route(PATH, post, methods=["POST"])]
