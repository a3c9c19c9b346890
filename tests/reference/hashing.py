"""The folded-multiply hash in Python's integers: the twin of `tallystick.kernels.hashing`."""

ALL = (1 << 64) - 1


def fold(a: int, b: int) -> int:
    """High half xor low half of the product."""
    return (a * b >> 64) ^ (a * b & ALL)


def folded_hash(data: bytes, key0: int, key1: int) -> int:
    """Sixteen bytes a round; a last word of fewer bytes holds them in its upper bytes."""
    state = key0 ^ fold(len(data) ^ key1, key0 ^ key1)
    whole = len(data) // 16 * 16
    for at in range(0, whole, 16):
        first, second = (int.from_bytes(data[at + k : at + k + 8], "little") for k in (0, 8))
        state = fold(first ^ key1, second ^ state)
    first, second = (int.from_bytes(word.rjust(8, b"\0"), "little") for word in (data[whole:][:8], data[whole:][8:]))
    return fold(fold(first ^ key1, second ^ state), key0 ^ 0x9E3779B97F4A7C15)
