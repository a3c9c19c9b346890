"""The block list: names and senders that are not wanted for a while, or for good, and who said so and why.

`BlockList` keeps it beside the series and tells whoever applies it; `Block` is one line of it, `Act` one of its audit
trail.
"""

from tallystick.blocks.block import (
    PATTERN_CHARS_MAX,
    WHO_CHARS_MAX,
    WHY_CHARS_MAX,
    Act,
    Block,
    Host,
    Network,
    checked_block,
    host_in,
    in_own_form,
)
from tallystick.blocks.blocklist import BLOCKS_MAX, FILE_NAME, BlockList, InForce

__all__ = [
    "BLOCKS_MAX",
    "FILE_NAME",
    "PATTERN_CHARS_MAX",
    "WHO_CHARS_MAX",
    "WHY_CHARS_MAX",
    "Act",
    "Block",
    "BlockList",
    "Host",
    "InForce",
    "Network",
    "checked_block",
    "host_in",
    "in_own_form",
]
