"""Hashes of byte strings by folded multiplication, sixteen bytes a round (the wyhash and rapidhash family)."""

import numpy as np

from tallystick.kernels.compile import inlined, load_u64, multiply_fold

MEMBER_KEY = (np.uint64(0x2D358DCCAA6C78A5), np.uint64(0x8BB84B93962EACC9))
"""The published key for members of sets: sketches on disk and on other hosts depend on it, it never changes."""


@inlined
def hash_bytes(array: np.ndarray, start: int, length: int, key0: int, key1: int) -> int:
    """A uint64 that depends on every byte, on the length and on a 128-bit key.

    Parameters
    ----------
    array : uint8[n]
        Readable for 16 bytes behind the last byte hashed.
    start, length
        Which bytes.
    key0, key1 : uint64
        A random key makes collisions impossible to aim at for who does not know it.

    Notes
    -----
    The round is wyhash's (Wang Yi, https://github.com/wangyi-fudan/wyhash): ``fold((w0 ^ key1) * (w1 ^ state))``.
    """
    state = key0 ^ multiply_fold(np.uint64(length) ^ key1, key0 ^ key1)
    done = 0
    while done + 16 <= length:
        state = multiply_fold(load_u64(array, start + done) ^ key1, load_u64(array, start + done + 8) ^ state)
        done += 16
    first = np.uint64(0)
    second = np.uint64(0)
    rest = length - done
    if rest >= 8:
        first = load_u64(array, start + done)
        done += 8
        rest -= 8
        if rest > 0:
            second = load_u64(array, start + done) << np.uint64(64 - 8 * rest)
    elif rest > 0:
        first = load_u64(array, start + done) << np.uint64(64 - 8 * rest)
    return multiply_fold(multiply_fold(first ^ key1, second ^ state), key0 ^ np.uint64(0x9E3779B97F4A7C15))
