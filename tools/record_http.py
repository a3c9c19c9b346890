"""Record what graphite-web answers over HTTP, as golden data for `tests/differential/test_http_bodies.py`.

It asks what ``tests/differential/http_requests.py`` lists, in this process, of an empty database in a temporary
directory; and for its list of functions, which ``tests/differential/test_function_list.py`` compares with ours.
``make oracle`` runs it in the environment that holds graphite-web::

    .oracle/bin/python tools/record_http.py
"""

import base64
import inspect
import json
import os
import re
import sys
import tempfile
import types
import warnings
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent))

import record_oracle
from http_requests import KEPT_S, REQUESTS, SCENE, Asked

ANSWERS = record_oracle.ROOT / "tests" / "golden" / "http" / "answers.json"
FUNCTIONS = ANSWERS.with_name("functions.json")
_TEXT = ("application/json", "text/")
_ACCEPTING = {"HTTP_ACCEPT": "application/json"}


def finder_module() -> types.ModuleType:
    """The finder of the other recording, which finds names as well."""
    from graphite.intervals import Interval, IntervalSet
    from graphite.node import BranchNode, LeafNode

    module = record_oracle.finder_module()

    class Reader:
        def get_intervals(self):
            return IntervalSet([Interval(float(SCENE.until_s - KEPT_S), float(SCENE.until_s))])

    class Finder(module.Finder):
        def find_nodes(self, query):
            globs = expanded(query.pattern)
            found = {}
            for name in SCENE.series:
                parts = name.split(".")
                for glob in globs:
                    wanted = glob.split(".")
                    if ";" not in name and len(parts) >= len(wanted) and all(map(fits, wanted, parts)):
                        path = ".".join(parts[: len(wanted)])
                        found[path] = LeafNode(path, Reader()) if path == name else BranchNode(path)
            return list(found.values())

        def get_index(self, *asked, **more):
            return sorted(SCENE.series)

        def auto_complete_tags(self, *asked, **more):
            return tags().auto_complete_tags(*asked, **more)

        def auto_complete_values(self, *asked, **more):
            return tags().auto_complete_values(*asked, **more)

    module.Finder = Finder
    return module


def tags():
    """The database of tags, which a finder of tags stands before."""
    from graphite.storage import STORE

    return STORE.tagdb


def fits(glob: str, part: str) -> bool:
    """Whether a part of a name matches that of a glob."""
    import fnmatch

    return fnmatch.fnmatchcase(part, glob)


def expanded(pattern: str) -> list[str]:
    """A pattern without braces, for each choice in them."""
    found = re.search(r"{([^{}]*)}", pattern)
    if not found:
        return [pattern]
    choices = found[1].split(",")
    return [one for choice in choices for one in expanded(pattern[: found.start()] + choice + pattern[found.end() :])]


def load(directory: Path) -> None:
    """Make graphite-web ready, with a database."""
    settings = record_oracle.settings(directory)
    settings.TAGDB = "graphite.tags.localdatabase.LocalDatabaseTagDB"
    settings.ALLOWED_HOSTS = ["*"]
    sys.modules["oracle_settings"] = settings
    os.environ.update(DJANGO_SETTINGS_MODULE="graphite.settings", GRAPHITE_SETTINGS_MODULE="oracle_settings")
    if not hasattr(inspect, "getargspec"):  # gone in Python 3.11, and graphite-web 1.1.10 wants it
        inspect.getargspec = inspect.getfullargspec
        inspect.formatargspec = lambda *parts: ""
    sys.modules["oracle_finder"] = finder_module()
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, verbosity=0)
    from graphite.functions import loadFunctions

    loadFunctions()
    record_oracle.enter("plain")


def asked(client, request: Asked) -> dict[str, object]:
    """The answer to a request."""
    path = f"{request.path}?{urlencode(request.query)}" if request.query else request.path
    try:
        if request.body:
            answer = client.post(path, request.body, content_type="application/json", **_ACCEPTING)
        elif request.form is not None:
            answer = client.post(
                path, urlencode(request.form), content_type="application/x-www-form-urlencoded", **_ACCEPTING
            )
        else:
            answer = client.get(path, **_ACCEPTING)
    except Exception as error:  # what a server would answer 500 to
        return {"status": 500, "type": "text/html", "body": f"{type(error).__name__}: {error}"}
    media_type = answer["Content-Type"].partition(";")[0]
    body = answer.content
    if media_type.startswith("image/") or media_type == "application/x-pdf":
        body = body[:4]  # of a picture, what kind it is
    if media_type == "text/html" and answer.status_code != 200:
        body = b""  # a page that says what is wrong
    if media_type.startswith(_TEXT):
        return {"status": answer.status_code, "type": media_type, "body": body.decode()}
    return {"status": answer.status_code, "type": media_type, "base64": base64.b64encode(body).decode()}


def functions(client) -> dict[str, object]:
    """Groups and parameters of functions, by their names, without their texts."""
    listed = json.loads(client.get("/functions").content)
    return {name: {"group": one["group"], "params": one["params"]} for name, one in sorted(listed.items())}


def write(path: Path, answers: dict[str, object]) -> None:
    """Write answers, one a line."""
    lines = [f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main() -> None:
    """Ask everything, and write the answers."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as directory:
        load(Path(directory))
        from django.test import Client

        client = Client()
        answers = {request.name: asked(client, request) for request in REQUESTS}
        listed = functions(client)
    ANSWERS.parent.mkdir(exist_ok=True)
    write(ANSWERS, answers)
    write(FUNCTIONS, listed)
    print(f"{len(answers)} requests and {len(listed)} functions recorded")


if __name__ == "__main__":
    main()
