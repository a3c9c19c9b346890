"""`program_name`: what a process is called whose environment does not say it."""

import re
from collections.abc import Sequence
from pathlib import Path

_SERVERS = frozenset(
    ("celery", "daphne", "fastapi", "flask", "granian", "gunicorn", "hypercorn", "uvicorn", "uwsgi", "waitress-serve")
)
"""Programs that run somebody's application, which stands in their arguments."""
_APPLICATION = re.compile(r"([A-Za-z_]\w*)(\.\w+)*:[A-Za-z_][\w.]*(\(\))?")
_MODULE = re.compile(r"([A-Za-z_]\w*)[\w.:]*")
_BY_OPTION = ("-A", "--app")
_SAYS_NOTHING = frozenset(("app", "application", "asgi", "config", "main", "project", "server", "src", "wsgi"))


def program_name(arguments: Sequence[str]) -> str:
    """What a program is called.

    Parameters
    ----------
    arguments
        Of the process, the program first.

    Returns
    -------
    str
        ``shop`` for ``/srv/shop.py``, ``python -m shop``, ``/srv/shop/manage.py``, ``gunicorn shop.wsgi`` and, in a
        directory of that name, ``uvicorn main:app``.
    """
    program = arguments[0] if arguments else ""
    if program in ("", "-c", "-m"):
        return "python"
    path = Path(program)
    if path.stem in ("__main__", "manage"):
        path = path.resolve().parent
    return _application(path.stem, arguments[1:]) if path.stem in _SERVERS else path.stem


def _application(server: str, arguments: Sequence[str]) -> str:
    """The name of the application that a server runs; that of the server if it is nowhere to be seen."""
    for option, word in zip(("", *arguments), arguments, strict=False):
        name, equals, value = word.partition("=")
        if name in _BY_OPTION and equals:
            found = _MODULE.fullmatch(value)
        elif option in _BY_OPTION:
            found = _MODULE.fullmatch(word)
        else:
            found = _APPLICATION.fullmatch(word)
        if found:
            return found[1] if found[1] not in _SAYS_NOTHING else (Path.cwd().name or found[1])
    last = arguments[-1] if arguments else ""
    if server == "gunicorn" and (found := _MODULE.fullmatch(last)):
        return found[1]  # without the name of the application, which is its default then
    return server
