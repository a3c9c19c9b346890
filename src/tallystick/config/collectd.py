"""Keys of a listener for collectd."""

import re
from typing import Annotated

import msgspec

SECURITY_LEVELS = ("none", "sign", "encrypt")
"""What a listener may demand of packets, least first."""

_UNFIT = re.compile(r'[\x00-\x20\x7f"\\:!,/();=~]')


def _part(text: str) -> None:
    if _UNFIT.search(text):
        raise ValueError(f"{text!r} cannot be part of a name; expected words, dots and dashes")


def _escape(text: str) -> None:
    if len(text) != 1 or not text.isascii() or _UNFIT.search(text) or text == ".":
        raise ValueError(f"{text!r} cannot stand for other characters; expected one such as '_'")


class WriteGraphite(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How collectd's values are named: the options of its plugin write_graphite, with their defaults."""

    prefix: Annotated[str, msgspec.Meta(extra={"check": _part})] = ""
    postfix: Annotated[str, msgspec.Meta(extra={"check": _part})] = ""
    escape_character: Annotated[str, msgspec.Meta(extra={"check": _escape})] = "_"
    separate_instances: bool = False
    always_append_ds: bool = False
    preserve_separator: bool = False
    drop_duplicate_fields: bool = False
    use_tags: bool = False
