"""What a command is called: the part of names that says which program counts."""

import re
from collections.abc import Sequence
from pathlib import Path

_SERVERS = ("gunicorn", "uvicorn", "hypercorn", "daphne", "granian", "waitress-serve", "uwsgi")
_APPLICATION = re.compile(r"([A-Za-z_]\w*)(?:\.\w+)*:[A-Za-z_][\w.()]*")
_MODULE = re.compile(r"([A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)+")
_WITH_VALUE = ("-X", "-W", "--check-hash-based-pycs")
_NAMELESS = ("main", "app", "wsgi", "asgi", "application", "config", "src", "tasks")


def app_of(command: Sequence[str], directory: Path | None = None) -> str:
    """The name of the application that a command runs.

    Parameters
    ----------
    command
        As ``["gunicorn", "shop.wsgi:application"]``, which is ``shop``; ``python /srv/shop.py`` and
        ``celery -A shop worker`` are, too.
    directory
        Where it runs; its name is taken for modules whose own name says nothing, such as ``main:app``.
    """
    program, rest = _program(command[0]), list(command[1:])
    if re.fullmatch(r"python[\d.]*t?", program):
        return _of_python(rest, directory)
    if program in _SERVERS:
        found = next((m for word in rest if (m := _APPLICATION.fullmatch(word))), None)
        found = found or next((m for word in rest if (m := _MODULE.fullmatch(word))), None)
        return _told(found[1], directory) if found else program
    if program in ("celery", "flask"):
        module = _value_of(rest, "-A", "--app")
        return _told(module.partition(":")[0].partition(".")[0], directory) if module else program
    if program == "django-admin":
        module = _value_of(rest, "--settings")
        return _told(module.partition(".")[0], directory) if module else (directory or Path.cwd()).name
    return program_name(command[0])


def program_name(program: str) -> str:
    """What a file that runs is called: ``shop`` for ``/srv/shop.py``, ``python -m shop``, ``/srv/shop/manage.py``."""
    path = Path(program)
    if path.stem in ("__main__", "manage"):
        path = path.resolve().parent
    return "python" if program in ("", "-c", "-m") else path.stem


def _program(path: str) -> str:
    """The file that runs; ``uvicorn`` for that of ``python -m uvicorn``."""
    found = Path(path)
    return found.parent.name if found.name == "__main__.py" else found.name


def _of_python(rest: list[str], directory: Path | None) -> str:
    while rest:
        word = rest.pop(0)
        if word == "-m" and rest:
            return app_of([rest[0].partition(".")[0], *rest[1:]], directory)
        if word == "-c":
            break
        if word in _WITH_VALUE and rest:
            rest.pop(0)
        elif not word.startswith("-"):
            name = program_name(word if directory is None else str(directory / word))
            return _told(name, directory)
    return "python"


def _told(name: str, directory: Path | None) -> str:
    return (directory or Path.cwd()).name if name in _NAMELESS else name


def _value_of(words: list[str], *options: str) -> str:
    for at, word in enumerate(words):
        if word in options and at + 1 < len(words):
            return words[at + 1]
        for option in options:
            if word.startswith(f"{option}="):
                return word.partition("=")[2]
    return ""
