"""`Heads`: what stood before a sample's value, byte for byte as it was sent, and the entry that it led to.

Senders say the same again every few seconds, but for the numbers. So what was read of a head once (labels, escapes,
the form of the name, the kind) is not read again: the head that followed the one before is compared with the bytes at
the cursor. Who sends in another order each time is read as if nothing were remembered.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined
from tallystick.kernels.fields import is_blank
from tallystick.kernels.names import NameArrays, find_or_add, guess, learn
from tallystick.kernels.words import same_bytes

HEAD_BYTES_MAX = 512
"""Longer heads are read each time."""

PREVIOUS, TRUST, REFUSED = 0, 1, 2
"""Positions in `Heads.state`: the head before, or -1; how far guesses of the next are to be trusted; and whether a head
found no room."""
STATE_SIZE = 3


class Heads(NamedTuple):
    """Heads that are remembered.

    Parameters
    ----------
    texts
        Their bytes, numbered.
    entry : int32[n]
        The entry of the name of each.
    kind : uint8[n]
    context : int64[n]
        What else decided about name and kind; a head means the same only where that is the same.
    state : int64[STATE_SIZE]
    """

    texts: NameArrays
    entry: NDArray[np.int32]
    kind: NDArray[np.uint8]
    context: NDArray[np.int64]
    state: NDArray[np.int64]


@inlined
def recall(heads: Heads, buffer: np.ndarray, start: int, stop: int, context: int, turn: int) -> tuple[int, int]:
    """The head that is expected, if it stands at `start` with a blank behind it, or -1; and the position behind."""
    texts, state = heads.texts, heads.state
    head = guess(texts, state[PREVIOUS], state[TRUST], turn)
    if head < 0 or heads.context[head] != context:
        return -1, start
    at = texts.offsets[head]
    length = texts.offsets[head + 1] - at
    end = start + length
    if end >= stop or not is_blank(buffer[end]) or not same_bytes(texts.arena, at, buffer, start, length):
        return -1, start
    return head, end


@inlined
def confirm(heads: Heads, head: int) -> None:
    """The head that was recalled led to a good sample."""
    heads.state[TRUST] = learn(heads.texts, heads.state[PREVIOUS], head, heads.state[TRUST], True)
    heads.state[PREVIOUS] = head


@inlined
def remember(heads: Heads, buffer: np.ndarray, start: int, stop: int, context: int, entry: int, kind: int) -> None:
    """Note what ``buffer[start:stop]`` led to; nothing where there is no room, which `Heads.state` tells."""
    state = heads.state
    if stop - start > HEAD_BYTES_MAX or state[REFUSED] != 0:
        return
    head = find_or_add(heads.texts, buffer, start, stop - start)
    if head < 0:
        state[REFUSED] = 1
        return
    heads.entry[head] = entry
    heads.kind[head] = kind
    heads.context[head] = context
    state[TRUST] = learn(heads.texts, state[PREVIOUS], head, state[TRUST], False)
    state[PREVIOUS] = head
