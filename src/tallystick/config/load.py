"""Files to `Config`, or one `ConfigError` that tells everything that is wrong with them."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tallystick.config.collectors import EVERYTHING, Collector
from tallystick.config.kinds import Kinds
from tallystick.config.places import Places
from tallystick.config.schema import Config
from tallystick.config.store import Store
from tallystick.config.validate import convert, sentences
from tallystick.model.errors import ConfigError


def load(file: Path, kinds: Kinds | None = None) -> Config:
    """Read a config file.

    Parameters
    ----------
    kinds
        What further keys there are in tables of many kinds, see `tallystick.agent.kinds`. Without it, these are kept
        unread: whoever uses them checks them.

    Raises
    ------
    ConfigError
        If the file cannot be read, is no TOML, or has keys or values that cannot be used: all of them, in the order of
        their lines.
    """
    return parse(_read(file), str(file), kinds)


def parse(text: str, file: str, kinds: Kinds | None = None) -> Config:
    """Read the text of a config file; `file` is its name in what is told.

    Raises
    ------
    ConfigError
        As `load`.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"cannot read {file}: {error}; expected TOML"]) from error
    config, problems = convert(raw, Config, kinds or {})
    if config is None:
        raise ConfigError(sentences(problems, Places(text).line, file))
    return config


def builtin(environment: Mapping[str, str] | None = None) -> Config:
    """What is used without any file, to try Tallystick out: all that is found on this host, and data below the
    user's home.

    Parameters
    ----------
    environment
        Where ``XDG_DATA_HOME`` and ``HOME`` are looked up; by default that of the process.
    """
    environment = os.environ if environment is None else environment
    data_home = environment.get("XDG_DATA_HOME") or "~/.local/share"
    return Config(
        collectors=(Collector(name=EVERYTHING),),
        store=Store(directory=str(Path(data_home).expanduser() / "tallystick")),
    )


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"cannot read config {file}: {error.strerror}; expected a readable TOML file"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"cannot read config {file}: byte {error.start} is not UTF-8; expected TOML"]) from error
