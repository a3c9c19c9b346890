"""What several commands have in common."""

from pathlib import Path

import click

from tallystick.config import Config, builtin, load

config_option = click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="TOML file, see 'tallystick config sample'. Without it, built-in settings to try Tallystick out are used.",
)

directory_option = click.option(
    "--directory",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Directory of the store, whatever the config says.",
)


def checked_address(ctx: click.Context, param: click.Parameter, server: str | None) -> str | None:
    """The address of a server, for the callback of an option."""
    if server is not None and not server.startswith(("http://", "https://")):
        raise click.BadParameter(f"{server!r} is no address; expected http://host:port", param_hint="--server")
    return server


server_option = click.option(
    "--server", metavar="URL", callback=checked_address, help="Have the server that runs there do it."
)

token_option = click.option(
    "--token", envvar="TALLYSTICK_TOKEN", help="If the server asks for one; or set TALLYSTICK_TOKEN."
)


def config_from(file: Path | None) -> Config:
    """The config of a file, or the built-in one.

    Raises
    ------
    ConfigError
        If the file cannot be used.
    """
    from tallystick.agent import kinds

    return builtin() if file is None else load(file, kinds())


def directory_from(file: Path | None, directory: Path | None) -> Path:
    """The store's directory: the one given, else that of the config.

    Raises
    ------
    ConfigError
        If the file cannot be used.
    """
    return config_from(file).store.path if directory is None else directory
