"""Record what graphite-web answers, as golden data for `tests/differential`; or answer for a test that asks it live.

``make oracle`` makes an environment that holds graphite-web, which is none of ours, and runs this in it. Each scene of
``tests/differential/synthetic.py`` has its targets in ``tests/golden/query/SCENE.txt``; the answers are written beside
them. No database, no files, no network::

    .oracle/bin/python tools/record_oracle.py            record all scenes
    .oracle/bin/python tools/record_oracle.py plain      record some
    .oracle/bin/python tools/record_oracle.py --draw 500 draw other nestings, and record them
    .oracle/bin/python tools/record_oracle.py --answer   read [scene, target] from each line, write its answer
"""

import json
import os
import random
import re
import sys
import tempfile
import time
import types
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "query"
sys.path.insert(0, str(ROOT / "tests" / "differential"))

from nestings import drawn, shapes  # noqa: E402
from synthetic import SCENES, Scene  # noqa: E402

_DRAWN, _SHAPES = "nestings", "shapes"


@dataclass
class _Asked:
    """What is being asked; graphite-web makes its finder by itself."""

    scene: Scene


_asked = _Asked(SCENES["plain"])


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
    for name, (step, wave) in _asked.scene.series.items():
        if not matches(pattern, name):
            continue
        first, last = start - start % step + step, min(end, _asked.scene.until_s)
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

    scene = _asked.scene
    zone = pytz.timezone(scene.zone)
    moments = {"startTime": scene.from_s, "endTime": scene.until_s, "now": scene.until_s}
    context = {key: datetime.fromtimestamp(value, UTC).astimezone(zone) for key, value in moments.items()}
    context |= {"localOnly": False, "template": {}, "tzinfo": zone, "forwardHeaders": {}, "sourceIdHeaders": {}}
    context |= {
        "data": [],
        "prefetched": {},
        "xFilesFactor": scene.x_files_factor,
        "maxDataPoints": None,
        "targets": [target],
        "maxStep": None,
    }
    try:
        result = evaluateTarget(context, target)
        series = [one for item in result for one in (item if type(item) is list else [item])]
        return [shown(one) for one in series]
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def shown(one) -> dict[str, object]:
    """What is compared of a series."""
    return {
        "name": str(one.name),
        "path": str(one.pathExpression),
        "tags": dict(one.tags),
        "start": int(one.start),
        "step": int(one.step),
        "values": [plain(value) for value in one],
    }


def enter(name: str) -> None:
    """Ask in another scene from now on; its zone is the server's too, which some functions use instead."""
    from django.conf import settings

    _asked.scene = SCENES[name]
    os.environ["TZ"] = settings.TIME_ZONE = _asked.scene.zone
    time.tzset()


def record_scene(name: str) -> None:
    """Evaluate every target of a scene and write the answers."""
    enter(name)
    lines = (GOLDEN / f"{name}.txt").read_text().splitlines()
    targets = [line for line in lines if line and line[0] != "#"]
    answers = {target: record(target) for target in targets}
    written = [f"{json.dumps(key)}: {json.dumps(one, separators=(',', ':'))}" for key, one in answers.items()]
    (GOLDEN / f"{name}.json").write_text("{\n" + ",\n".join(written) + "\n}\n")
    failed = sum(isinstance(one, dict) for one in answers.values())
    print(f"{name}: {len(answers)} targets recorded, {failed} of them errors")


def draw(count: int) -> None:
    """Write other random targets, none of which is an error."""
    enter(_DRAWN)
    seed = random.randrange(10**6)
    source = random.Random(seed)
    targets: dict[str, None] = {}
    while len(targets) < count:
        target = drawn(source)
        if isinstance(record(target), list):
            targets[target] = None
    written(_DRAWN, f"Drawn with seed {seed}", targets)
    written(_SHAPES, "Every call on every shape of series, made", dict.fromkeys(shapes()))


def written(name: str, how: str, targets: Iterable[str]) -> None:
    """Write the targets of a scene."""
    head = f"# {how} by tools/record_oracle.py, which records the answers."
    (GOLDEN / f"{name}.txt").write_text("\n".join([head, *targets]) + "\n")


def answer() -> None:
    """Answer whoever asks on standard input."""
    for line in sys.stdin:
        name, target = json.loads(line)
        if SCENES[name] is not _asked.scene:
            enter(name)
        print(json.dumps(record(target)), flush=True)


def load(directory: Path) -> None:
    """Make graphite-web ready: in this process, on the synthetic series, with a present that stands still."""
    os.environ.update(DJANGO_SETTINGS_MODULE="graphite.settings", GRAPHITE_SETTINGS_MODULE="oracle_settings")
    sys.modules["oracle_settings"] = settings(directory)
    sys.modules["oracle_finder"] = finder_module()
    import django
    import pytz

    django.setup()
    from graphite.functions import loadFunctions
    from graphite.render import attime, functions

    loadFunctions()
    real = attime.parseATTime

    def parse(text, zone=None, now=None):
        zone = zone or pytz.timezone(_asked.scene.zone)
        return real(text, zone, now or datetime.fromtimestamp(_asked.scene.until_s, UTC).astimezone(zone))

    functions.parseATTime = parse


def main() -> None:
    """Do what the arguments say."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as directory:
        load(Path(directory))
        match sys.argv[1:]:
            case ["--answer"]:
                answer()
            case ["--draw", count]:
                draw(int(count))
                record_scene(_DRAWN)
                record_scene(_SHAPES)
            case names:
                for name in names or SCENES:
                    record_scene(name)


if __name__ == "__main__":
    main()
