"""How collectd's values are named: the options of its plugin ``write_graphite``, for the kernel."""

import numpy as np

from tallystick.config.collectd import WriteGraphite
from tallystick.kernels.collectd_names import (
    ALWAYS_APPEND_DS,
    DROP_DUPLICATE_FIELDS,
    SEPARATE_INSTANCES,
    USE_TAGS,
    Naming,
)

_FORBIDDEN = b' \t"\\:!,/()\n\r' + b";" + bytes(range(0x20)) + b"\x7f"
"""What is escaped in all of a name; the semicolon is our own addition, as it begins a tag."""


def naming_of(options: WriteGraphite) -> Naming:
    """The options as the kernel takes them."""
    bits = (
        SEPARATE_INSTANCES * options.separate_instances
        | ALWAYS_APPEND_DS * options.always_append_ds
        | DROP_DUPLICATE_FIELDS * options.drop_duplicate_fields
        | USE_TAGS * options.use_tags
    )
    return Naming(
        escape=np.frombuffer(escape_of(options), np.uint8),
        prefix=np.frombuffer(options.prefix.encode(), np.uint8),
        postfix=np.frombuffer(options.postfix.encode(), np.uint8),
        options=np.array([bits]),
    )


def escape_of(options: WriteGraphite) -> bytes:
    """What becomes of each byte of a host, a plugin, a type, an instance or a value's name: 256 bytes."""
    escaped = _FORBIDDEN if options.preserve_separator or options.use_tags else _FORBIDDEN + b"."
    return bytes.maketrans(escaped, options.escape_character.encode() * len(escaped))
