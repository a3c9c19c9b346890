"""What graphite-web and we are asked over HTTP, in this order: plain Python, no packages.

The series are those of the scene ``plain`` of `synthetic`; the answers of graphite-web are in
``tests/golden/http/answers.json``, recorded by ``tools/record_http.py``.
"""

from dataclasses import dataclass

from synthetic import SCENES

SCENE = SCENES["plain"]
KEPT_S = 2 * 365 * 86400

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Asked:
    """A request.

    Parameters
    ----------
    form
        What is posted; GET if it is None.
    body
        What is posted as JSON instead.
    differs
        Why our answer is another one; empty if it is the same.
    """

    path: str
    query: Pairs = ()
    form: Pairs | None = None
    body: str = ""
    differs: str = ""

    @property
    def name(self) -> str:
        said = [*self.query, *(self.form or ())]
        fields = "&".join(f"{key}={value}" for key, value in said)
        return f"{'POST' if self.form is not None or self.body else 'GET'} {self.path}?{fields}{self.body}"


_SPAN = (("from", str(SCENE.until_s - 300)), ("until", str(SCENE.until_s)), ("now", str(SCENE.until_s)))


def _render(*targets: str, differs: str = "", **more: str) -> Asked:
    wanted = tuple(("target", target) for target in targets)
    return Asked("/render", (*wanted, *_SPAN, ("noCache", "1"), *more.items()), differs=differs)


def _get(path: str, /, *query: tuple[str, str], differs: str = "", **more: str) -> Asked:
    return Asked(path, (*query, *more.items()), differs=differs)


def _post(path: str, /, *form: tuple[str, str], differs: str = "", **more: str) -> Asked:
    return Asked(path, form=(*form, *more.items()), differs=differs)


def _event(body: str, differs: str = "") -> Asked:
    return Asked("/events/", body=body, differs=differs)


_BOTH = "a name that is a branch and a series is told as both"
_SENTENCE = "errors are JSON with a sentence"
_TAGGED = ("disk.used;dc=dc1;host=web1", "disk.used;host=web2;dc=dc1", "disk.used;dc=dc2;host=web3",
           "disk.free;dc=dc1;host=web1")  # fmt: skip
_AT = SCENE.until_s

REQUESTS: tuple[Asked, ...] = (
    *(_render("a.b.c", "gappy.one", format=form) for form in ("json", "csv", "raw", "rickshaw", "pickle", "msgpack")),
    _render("a.b.c", "gappy.one", format="dygraph"),
    _render(format="json"),
    _render(format="dygraph"),
    _render(format="csv"),
    _render(format="pickle"),
    _render("no.such.series", format="json"),
    _render("no.such.series", format="raw"),
    _render("a.b.c", rawData="1"),
    _render("a.b.c", pickle="1"),
    _render("a.b.c", rawData="1", format="json"),
    _render("a.b.c", format="json", jsonp="draw"),
    _render("a.b.c", format="dygraph", jsonp="draw"),
    _render("a.b.c", format="rickshaw", jsonp="draw"),
    _render("a.b.c", "gappy.none", format="json", noNullPoints="1"),
    _render("a.b.c", format="csv", tz="Europe/Berlin"),
    _render("pow(signed.v,-1)", format="json"),
    _render("invert(signed.v)", format="csv"),
    _render("seriesByTag('name=disk.used')", format="json"),
    _render("sumSeries(web.*.cpu)", 'alias(a.e.c,"it\'s \\"quoted\\" ü")', format="json"),
    _render('alias(a.e.c,"ü, comma")', format="csv"),
    _render("template(web.$h.cpu,h='h1')", **{"format": "json", "template[h]": "h2"}),
    _render("a.b.c", format="json", maxDataPoints="1"),
    _render("a.b.c", format="png"),
    _render("a.b.c", format="svg"),
    _render("a.b.c", format="pdf"),
    _render("a.b.c"),
    _render("a.b.c", graphType="pie"),
    _render("name:5", graphType="pie", format="svg"),
    _render("a.b.c", format="gif", differs="an unknown format is told; graphite-web draws a picture"),
    _render("bogus(a.b.c)", format="json", differs=_SENTENCE),
    _post("/render", ("target", "a.b.c"), ("target", "a.e.c"), *_SPAN, ("format", "json"), ("noCache", "1")),
    _post("/render", ("target[]", "a.b.c"), ("target[]", "a.e.c"), *_SPAN, ("format", "json"), ("noCache", "1")),
    *(_get("/metrics/find", query="web.*", format=form) for form in ("treejson", "completer", "nodelist", "json")),
    *(_get("/metrics/find/", query="web.h1.*", format=form) for form in ("pickle", "msgpack", "json", "completer")),
    *(_get("/metrics/find", query="web.*", format=form) for form in ("pickle", "msgpack")),
    _get("/metrics/find", query="web.*"),
    _get("/metrics/find", query="web.*.cpu"),
    _get("/metrics/find", query="web.*.cpu", wildcards="1"),
    _get("/metrics/find", query="web.*", wildcards="1"),
    _get("/metrics/find", query="web.*.cpu", format="nodelist", position="1"),
    _get("/metrics/find", query="web.h", format="completer"),
    _get("/metrics/find", query="web.h1,h2", format="completer", automatic_variants="1"),
    _get("/metrics/find", query="web.", format="completer", wildcards="1"),
    _get("/metrics/find", query="no.such.*"),
    _get("/metrics/find", query="web.h1.*", jsonp="show"),
    _get("/metrics/find", query="{a,web}.{b,h1}.*"),
    _get("/metrics/find", query="web.h[12].mem"),
    _get("/metrics", query="web.*"),
    _post("/metrics/find", query="web.*"),
    _get("/metrics/find", differs=_SENTENCE),
    _get("/metrics/find", query="", differs=_SENTENCE),
    _get("/metrics/find", query="a", format="xml", differs=_SENTENCE),
    _get("/metrics/expand", query="web.*.cpu"),
    _get("/metrics/expand", ("query", "web.*"), ("query", "a.*.c")),
    _get("/metrics/expand", ("query", "web.*"), ("query", "a.*.c"), groupByExpr="1"),
    _get("/metrics/expand", ("query", "web.*"), ("query", "a.*.c"), leavesOnly="1"),
    _post("/metrics/expand", query="web.*.mem"),
    _get("/metrics/index.json"),
    _get("/metrics/index.json", jsonp="show"),
    *(_post("/tags/tagSeries", ("path", name)) for name in _TAGGED[:2]),
    _post("/tags/tagMultiSeries", *(("path", name) for name in _TAGGED[2:])),
    _post("/tags/tagSeries", differs="the sentence is another"),
    _get("/tags/findSeries", expr="name=disk.used"),
    _get("/tags/findSeries", ("expr", "dc=dc1"), ("expr", "host=~web[12]")),
    _get("/tags/findSeries", ("expr[]", "dc=dc1"), ("expr[]", "host!=web1")),
    _post("/tags/findSeries", expr="host=web3"),
    _get("/tags/findSeries", differs="the sentence is another"),
    _get("/tags"),
    _get("/tags", filter="d"),
    _get("/tags/dc", differs="numbers are those of the order"),
    _get("/tags/host", filter="web[12]", differs="numbers are those of the order"),
    _get("/tags/nothing"),
    _get("/tags/autoComplete/tags"),
    _get("/tags/autoComplete/tags", tagPrefix="h"),
    _get("/tags/autoComplete/tags", ("expr", "dc=dc1"), ("limit", "1")),
    _post("/tags/autoComplete/tags", expr="dc=dc1"),
    _get("/tags/autoComplete/values", tag="host"),
    _get("/tags/autoComplete/values", tag="host", expr="dc=dc1", valuePrefix="web"),
    _get("/tags/autoComplete/values", ("tag", "host"), ("limit", "2")),
    _get("/tags/autoComplete/values", tag="host", pretty="1"),
    _get("/tags/autoComplete/values", differs="the sentence is another"),
    _event(f'{{"what": "deploy", "tags": ["a", "b"], "when": {_AT - 60}, "data": "x"}}'),
    _event(f'{{"what": "restart", "tags": "b c", "when": {_AT - 30}}}'),
    _event(f'{{"what": "plain", "when": {_AT - 10}, "unknown": 1}}'),
    _event('{"what": "x", "tags": 5}', differs=_SENTENCE),
    _get("/events/get_data", until=str(_AT)),
    _get("/events/get_data", **{"from": str(_AT - 40), "until": str(_AT)}),
    _get("/events/get_data", tags="a b", until=str(_AT)),
    _get("/events/get_data", tags="a c", until=str(_AT), set="union"),
    _get("/events/get_data", tags="b", until=str(_AT), set="intersection"),
    _get("/events/get_data", tags="nothing", until=str(_AT)),
    _get("/events/get_data", until=str(_AT), jsonp="show"),
    _get("/events/1/"),
    _get("/events/99/", differs="the sentence is another"),
    _get("/version/"),
    _get("/functions/bogus"),
)
