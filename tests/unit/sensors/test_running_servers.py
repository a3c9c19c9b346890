"""Web applications as they are, served by real servers that ``tallystick run`` begins."""

import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from hearing import PLACE, Hearing
from servers import TALLYSTICK, package, wait_until

APPS = "dev.apps.shop"
FLASK = """
    from flask import Flask
    app = Flask("shop")
    @app.route("/items/<int:number>")
    def item(number): return str(number)
    @app.route("/fail")
    def fail(): raise KeyError
    if __name__ == "__main__":
        app.run(port=0)
"""
STARLETTE = """
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route
    async def item(request): return PlainTextResponse(str(request.path_params["number"]))
    async def fail(request): raise KeyError
    app = Starlette(routes=[Route("/items/{number:int}", item), Route("/fail", fail)])
"""
DJANGO = """
    import os, sys
    import django
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path
    settings.configure(
        ROOT_URLCONF="shop", DEBUG=False, ALLOWED_HOSTS=["*"], SECRET_KEY="x",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    )
    django.setup()
    def item(request, number):
        from django.db import connection
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", [number])
            return HttpResponse(str(cursor.fetchone()[0]))
    def fail(request): raise KeyError
    urlpatterns = [path("items/<int:number>", item, name="item"), path("fail", fail, name="fail")]
    from django.core.wsgi import get_wsgi_application
    from django.core.asgi import get_asgi_application
    app, asgi = get_wsgi_application(), get_asgi_application()
    if __name__ == "__main__":
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
"""
SERVED = {
    "flask by gunicorn": (FLASK, ["gunicorn"], "-m gunicorn shop:app -b 127.0.0.1:0 -w 2 --preload"),
    "flask by gunicorn's threads": (FLASK, ["gunicorn"], "-m gunicorn shop:app -b 127.0.0.1:0 -w 1 --threads 4"),
    "flask by gunicorn's greenlets": (FLASK, ["gunicorn", "gevent"], "-m gunicorn shop:app -b 127.0.0.1:0 -k gevent"),
    "flask by itself": (FLASK, [], "shop.py"),
    "starlette by uvicorn": (STARLETTE, ["uvicorn"], "-m uvicorn shop:app --port 0"),
    "starlette by uvicorn's asyncio": (STARLETTE, ["uvicorn"], "-m uvicorn shop:app --port 0 --loop asyncio"),
    "django by gunicorn": (DJANGO, ["gunicorn"], "-m gunicorn shop:app -b 127.0.0.1:0 -w 2"),
    "django by uvicorn": (DJANGO, ["uvicorn"], "-m uvicorn shop:asgi --port 0"),
}


@contextmanager
def serving(folder: Path, environ: dict[str, str], command: str) -> Iterator[str]:
    log = folder / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [*TALLYSTICK, "run", "--", sys.executable, *command.split()],
            cwd=folder,
            env=environ,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            found = wait_until(
                lambda: re.search(
                    r"(?:Listening at|running on|Running on):? (http://127\.0\.0\.1:[1-9]\d*)", log.read_text()
                ),
                "an address",
                log.read_text,
            )
            wait_until(lambda: answers(found[1]), "an answer", log.read_text)
            yield found[1]
        finally:
            process.send_signal(signal.SIGINT if command == "shop.py" else signal.SIGTERM)
            try:
                process.wait(30)
            finally:
                process.kill()


def answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/nothing", timeout=10, verify=False).status_code == 404
    except httpx2.TransportError:
        return False


@pytest.mark.parametrize("what", SERVED)
def test_requests_are_counted_by_view(door: Hearing, tmp_path: Path, what: str) -> None:
    text, packages, command = SERVED[what]
    for name in (what.partition(" ")[0], *packages):
        package(name)
    (tmp_path / "shop.py").write_text(textwrap.dedent(text))
    environ = os.environ | PLACE | {"TALLYSTICK_AGENT": door.address}
    with serving(tmp_path, environ, command) as url, httpx2.Client(verify=False) as client:
        for number in range(20):
            assert client.get(f"{url}/items/{number}").text == str(number)
        assert client.get(f"{url}/fail").status_code == 500
    log = (tmp_path / "log").read_text()
    found = sorted(name for name in door.slots if name.startswith(APPS))
    assert door.sum(f"{APPS}.response.200") == 20, (found, log)
    assert door.sum(f"{APPS}.response.500") == 1, found
    assert door.sum(f"{APPS}.errors") == 1, found
    views = [name for name in found if ".view.GET." in name and "item" in name]
    assert len(views) == 1, found
    counted = [slot["spread"]["count"] if slot["spread"] else 1 for slot in door.slots[views[0]]]
    assert sum(counted) == 20
    if what.startswith("django"):
        selects = door.slots[f"{APPS}.database.time;statement=SELECT;system=sqlite3"]
        assert sum(slot["spread"]["count"] if slot["spread"] else 1 for slot in selects) >= 20, found
    if packages == ["uvicorn"]:
        assert door.slots[f"{APPS}.loop.lag"]
