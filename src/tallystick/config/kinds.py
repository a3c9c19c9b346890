"""Tables whose items are of many kinds, each with keys of its own that a file elsewhere defines.

``[[collectors]]`` has a few keys that all have in common; what else an item may have depends on which collector it
names, and that collector's own file says it. The config lies below those files: who loads it hands in what there is.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from tallystick.config.table import Table

Kinds = Mapping[str, Mapping[str, type[Table]]]
"""The further keys: by the name of the table, and by the word that an item chooses its kind with."""


class Kinded(Table, frozen=True, kw_only=True):
    """An item that names its kind; keys that its kind has are in `further`, as the file has them."""

    CHOSEN_BY: ClassVar[str]
    """The key that names the kind."""

    further: dict[str, Any] = msgspec.field(name="", default_factory=dict)

    @classmethod
    def common(cls) -> tuple[str, ...]:
        """Keys that all kinds have in common."""
        return tuple(name for name in cls.__struct_encode_fields__ if name)

    @classmethod
    def gathered(cls, raw: Mapping[str, Any]) -> dict[str, Any]:
        """An item of a file in the form of this struct: what is not common lies in `further`."""
        common = cls.common()
        further = {name: value for name, value in raw.items() if name not in common}
        return {name: raw[name] for name in common if name in raw} | {"": further}
