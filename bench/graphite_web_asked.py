"""Evaluates targets with graphite-web; run by its own interpreter, which has none of our packages.

Standard input is JSON: where the files are, the present, and queries: targets, how far back, how often. Standard output
is JSON: for each query the seconds of each time, how many series it gave, and how many known values the shortest has.
"""

import json
import os
import sys
import time
import types
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def ready(root: Path, whisper: str) -> None:
    """Settings, without a database or a network."""
    spec = spec_from_file_location("whisper", whisper)
    sys.modules["whisper"] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("log", "conf"):
        (root / name).mkdir()
    settings = types.ModuleType("asked_settings")
    settings.__dict__.update(
        SECRET_KEY="asked",
        TIME_ZONE="UTC",
        STORAGE_DIR=str(root),
        LOG_DIR=str(root / "log"),
        CONF_DIR=str(root / "conf"),
        WHISPER_DIR=str(root / "whisper"),
        STANDARD_DIRS=[str(root / "whisper")],
        CLUSTER_SERVERS=[],
        CARBONLINK_HOSTS=[],
        STORAGE_FINDERS=("graphite.finders.standard.StandardFinder",),
        FIND_CACHE_DURATION=0,
        USE_WORKER_POOL=False,
        DATABASES={"default": {"NAME": str(root / "db"), "ENGINE": "django.db.backends.sqlite3"}},
    )
    sys.modules["asked_settings"] = settings
    os.environ.update(DJANGO_SETTINGS_MODULE="graphite.settings", GRAPHITE_SETTINGS_MODULE="asked_settings")
    import django

    django.setup()
    from graphite.functions import loadFunctions

    loadFunctions()


def evaluated(targets: list[str], start_s: int, until_s: int) -> list[object]:
    """The series of all targets, read together as graphite-web reads them for a request."""
    import pytz
    from graphite.render.datalib import prefetchData
    from graphite.render.evaluator import evaluateTarget

    moments = {"startTime": start_s, "endTime": until_s, "now": until_s}
    context = {key: datetime.fromtimestamp(value, UTC).astimezone(pytz.utc) for key, value in moments.items()}
    context |= {"localOnly": False, "template": {}, "tzinfo": pytz.utc, "forwardHeaders": {}, "sourceIdHeaders": {}}
    context |= {"data": [], "prefetched": {}, "xFilesFactor": 0, "maxDataPoints": None, "maxStep": None}
    context["targets"] = targets
    prefetchData(context, targets)
    return [one for target in targets for one in evaluateTarget(context, target)]


def main() -> None:
    """Answer all queries."""
    asked = json.load(sys.stdin)
    ready(Path(asked["root"]), asked["whisper"])
    answers = []
    for targets, seconds, count in asked["queries"]:
        taken = []
        for _ in range(count + 1):
            began = time.perf_counter()
            found = evaluated(targets, asked["now"] - seconds, asked["now"])
            taken.append(time.perf_counter() - began)
        known = min((sum(value is not None for value in one) for one in found), default=0)
        answers.append([taken[1:], len(found), known])
    json.dump(answers, sys.stdout)


main()
