"""Record what graphite-web answers, as golden data for `tests/differential`.

Run it with the Python of an environment that holds graphite-web, which is none of ours::

    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install graphite-web==1.1.10
    /tmp/oracle/bin/python tools/record_oracle.py

It reads the targets and writes ``expected.json`` beside them. The series are synthetic; see
``tests/differential/synthetic.py``. No database, no files, no network.
"""

import json
import os
import re
import sys
import tempfile
import types
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "query"
sys.path.insert(0, str(ROOT / "tests" / "differential"))

from synthetic import FROM_S, SERIES, UNTIL_S  # noqa: E402


def settings(directory: Path) -> types.ModuleType:
    """Settings of graphite-web that keep everything in `directory` and read from `Finder`."""
    for name in ("log", "whisper", "conf"):
        (directory / name).mkdir()
    module = types.ModuleType("oracle_settings")
    module.__dict__.update(
        SECRET_KEY="oracle",
        TIME_ZONE="UTC",
        STORAGE_DIR=str(directory),
        LOG_DIR=str(directory / "log"),
        CONF_DIR=str(directory / "conf"),
        WHISPER_DIR=str(directory / "whisper"),
        STANDARD_DIRS=[str(directory / "whisper")],
        CLUSTER_SERVERS=[],
        CARBONLINK_HOSTS=[],
        STORAGE_FINDERS=("oracle_finder.Finder",),
        TAGDB="oracle_finder.Tags",
        USE_WORKER_POOL=False,
        DATABASES={"default": {"NAME": str(directory / "db"), "ENGINE": "django.db.backends.sqlite3"}},
    )
    return module


def finder_module() -> types.ModuleType:
    """The finder that computes the synthetic series; graphite-web wants it by the name of its module."""
    from graphite.finders.utils import BaseFinder
    from graphite.tags.base import BaseTagDB

    class Finder(BaseFinder):
        tags = True  # it resolves seriesByTag() itself

        def find_nodes(self, query):
            return []

        def fetch(self, patterns, start_time, end_time, *others, **more):
            return [answer for pattern in patterns for answer in fetched(pattern, start_time, end_time)]

    class Tags(BaseTagDB):
        pass

    module = types.ModuleType("oracle_finder")
    module.Finder, module.Tags = Finder, Tags
    return module


def fetched(pattern: str, start: int, end: int):
    """What whisper gives for files that hold the synthetic series."""
    for name, (step, wave) in SERIES.items():
        if not matches(pattern, name):
            continue
        first, last = start - start % step + step, min(end, UNTIL_S)
        last = max(last - last % step + step, first + step)
        values = [wave(t) for t in range(first, last, step)]
        yield {
            "pathExpression": pattern,
            "path": name,
            "name": name,
            "time_info": (first, last, step),
            "values": values,
        }


def matches(pattern: str, name: str) -> bool:
    """Whether a glob or a seriesByTag() call selects a name."""
    if not pattern.startswith("seriesByTag("):
        expression = re.escape(pattern)
        for glob, regex in ((r"\*", "[^.]*"), (r"\?", "[^.]"), (r"\{", "(?:"), (r"\}", ")"), (",", "|")):
            expression = expression.replace(glob, regex)
        expression = re.sub(r"\\\[(.*?)\\\]", r"[\1]", expression)
        return re.fullmatch(expression, name) is not None
    path, *pairs = name.split(";")
    tags = {"name": path} | dict(pair.split("=") for pair in pairs)
    for key, operator, value in re.findall(r"[\"'](\w+)(!?=~?)(.*?)[\"']", pattern):
        found = re.match(value, tags.get(key, "")) if "~" in operator else value == tags.get(key, "")
        if bool(found) == operator.startswith("!"):
            return False
    return True


def plain(value: object) -> object:
    """A value as JSON keeps it: twelve digits are more than the comparison looks at."""
    return float(f"{value:.12g}") if isinstance(value, float) else value


def record(target: str) -> object:
    """The series that graphite-web makes of a target, or its error."""
    import pytz
    from graphite.render.evaluator import evaluateTarget

    moments = {"startTime": FROM_S, "endTime": UNTIL_S, "now": UNTIL_S}
    context = {key: datetime.fromtimestamp(value, UTC).astimezone(pytz.utc) for key, value in moments.items()}
    context |= {"localOnly": False, "template": {}, "tzinfo": pytz.utc, "forwardHeaders": {}, "sourceIdHeaders": {}}
    context |= {
        "data": [],
        "prefetched": {},
        "xFilesFactor": 0,
        "maxDataPoints": None,
        "targets": [target],
        "maxStep": None,
    }
    result = evaluateTarget(context, target)
    series = [one for item in result for one in (item if type(item) is list else [item])]
    return [
        {
            "name": str(one.name),
            "path": str(one.pathExpression),
            "tags": dict(one.tags),
            "start": int(one.start),
            "step": int(one.step),
            "values": [plain(value) for value in one],
        }
        for one in series
    ]


def main() -> None:
    """Evaluate every target and write the answers."""
    import time
    import warnings

    warnings.simplefilter("ignore")
    os.environ.update(TZ="UTC", DJANGO_SETTINGS_MODULE="graphite.settings", GRAPHITE_SETTINGS_MODULE="oracle_settings")
    time.tzset()
    with tempfile.TemporaryDirectory() as directory:
        sys.modules["oracle_settings"] = settings(Path(directory))
        sys.modules["oracle_finder"] = finder_module()
        import django

        django.setup()
        from graphite.functions import loadFunctions
        from graphite.render import attime

        loadFunctions()
        fixed = datetime.fromtimestamp(UNTIL_S, UTC)
        real = attime.parseATTime
        from graphite.render import functions

        # Functions ask for the time by themselves; in this recording it stands still.
        functions.parseATTime = lambda text, zone=None, now=None: real(text, zone, now or fixed)
        targets = [line for line in (GOLDEN / "targets.txt").read_text().splitlines() if line and line[0] != "#"]
        lines = []
        for target in targets:
            try:
                answer = record(target)
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
                print(f"{target}: {answer['error']}")
            lines.append(f"{json.dumps(target)}: {json.dumps(answer, separators=(',', ':'))}")
    (GOLDEN / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(lines)} targets recorded")


if __name__ == "__main__":
    main()
