"""A process that nobody named is called after the application that it runs."""

from pathlib import Path

import pytest

from tallystick.sensors.program import app_of


@pytest.mark.parametrize(
    "command",
    [
        "/usr/bin/shop.py",
        "/usr/bin/shop --port 80",
        "/srv/shop/manage.py runserver",
        "/srv/shop/__main__.py",
        "/usr/bin/gunicorn -w 2 --bind 127.0.0.1:80 shop.wsgi:application",
        "gunicorn shop.wsgi",
        "gunicorn shop:create_app()",
        "/usr/lib/python3/dist-packages/uvicorn/__main__.py shop.main:app --host 127.0.0.1",
        "uvicorn --app-dir /srv main:app",
        "celery -A shop.tasks worker",
        "celery --app=shop worker -l info",
        "flask --app shop run",
    ],
)
def test_a_program_is_called_after_its_application(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path / "shop")
    assert app_of(command.split()) == "shop"


@pytest.mark.parametrize(
    ("command", "name"), [("", "python"), ("-c", "python"), ("gunicorn", "gunicorn"), ("uvicorn --factory", "uvicorn")]
)
def test_one_that_says_nothing_is_called_after_its_program(command: str, name: str) -> None:
    assert app_of(command.split() or [""]) == name
