"""``tallystick run``."""

import os
from pathlib import Path

import click

from tallystick.model.address import SERVER_SCHEMES, Address
from tallystick.sensors.running import SITE, app_of

_NOT_FOUND, _NOT_RUNNABLE = 127, 126


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--app", help="The program's part of names; else it follows from the command.")
@click.option("--environment", help="First part of names, as prod; else TALLYSTICK_ENVIRONMENT, else dev.")
@click.option("--version", help="Of the program; told when it starts.")
@click.option("--agent", help="Where numbers go: tcp://host:port, tls://host:port, unix:///path; else port 8120 here.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def command(
    ctx: click.Context,
    app: str | None,
    environment: str | None,
    version: str | None,
    agent: str | None,
    command: tuple[str, ...],
) -> None:
    """Run a Python program and count what it does.

    Without a change to it: its requests, views and errors if it serves the web (Django, WSGI and ASGI, by gunicorn,
    uvicorn or a server for development), the requests it makes itself (requests, httpx, urllib), statements of its
    databases (SQLite, PostgreSQL, MySQL), Celery's tasks, log records by level, its process.

    \b
    tallystick run -- python shop.py
    tallystick run --environment prod --version 4.2 -- gunicorn shop.wsgi
    tallystick run -- uvicorn shop.main:app
    tallystick run -- celery -A shop worker
    tallystick run -- python manage.py runserver

    Signals and the exit status are the program's own: this command becomes it. Programs that it starts in turn are
    counted as well, under the same name. 'python -I' and '-E' keep everything out, this as well.
    """
    if agent is not None and agent != "none":
        try:
            Address.parse(agent, SERVER_SCHEMES)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--agent") from error
    environ = dict(os.environ)
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(SITE), environ.get("PYTHONPATH"))))
    environ["TALLYSTICK_APP"] = app or environ.get("TALLYSTICK_APP") or app_of(command, Path.cwd())
    said = {"TALLYSTICK_ENVIRONMENT": environment, "TALLYSTICK_VERSION": version, "TALLYSTICK_AGENT": agent}
    environ |= {key: value for key, value in said.items() if value}
    try:
        os.execvpe(command[0], command, environ)
    except OSError as error:
        click.echo(f"cannot run {command[0]!r}: {error.strerror}; expected a program", err=True)
        ctx.exit(_NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUNNABLE)
