"""`Distinct`: how many different members there are, without keeping them: HyperLogLog, in plain Python.

A member is hashed to 64 bits as the server's StatsD door does it, and these once more as the DataSketches library does
it; of the second hash come an address and the number of leading zeros plus one, together a *coupon*. Up to 384 coupons
are kept as they are, and counting them is exact. Then each of 4,096 registers keeps the largest value of the coupons
with its address: that many members make it likely. Sketches of the same members are the same whoever made them, so
they merge over processes, hosts and time.

Notes
-----
Flajolet, Fusy, Gandouet and Meunier, *HyperLogLog* (2007); the number is estimated from the registers as in Ertl, *New
cardinality estimation algorithms for HyperLogLog sketches* (2017), algorithm 6: a relative standard error of 1.6 %. The
bytes are those of Apache DataSketches (https://datasketches.apache.org/docs/HLL/HLL.html), compact, HLL_4; as many
things must fit together in them, `Distinct.merge` takes nothing that does not.
"""

import math
import struct
from collections import Counter
from typing import NamedTuple

LG_REGISTERS = 12
REGISTERS = 1 << LG_REGISTERS
COUPONS_MAX = 384
"""More become registers."""

_ALL = (1 << 64) - 1
_KEY_0, _KEY_1 = 0x2D358DCCAA6C78A5, 0x8BB84B93962EACC9
"""The published key of members: `tallystick.kernels.hashing` has it as well, and it never changes."""
_SEED = 9001
_ADDRESS_BITS, _VALUE_MAX = 26, 63
_ADDRESSES = (1 << _ADDRESS_BITS) - 1

_VERSION, _FAMILY = 1, 7
_EMPTY, _COMPACT, _OUT_OF_ORDER = 4, 8, 16
_LIST, _SET, _REGISTERS = range(3)
_PREAMBLE_INTS = (2, 3, 10)
_LIST_MAX, _LG_LIST, _LG_SET, _LG_EXCEPTIONS = 7, 3, 5, 5
_EXCEPTION = 15  # a register that is too far above the smallest for four bits stands behind them
_NUMBERS = struct.Struct("<3d2i")
_NIBBLES_AT = 8 + _NUMBERS.size
_NIBBLES = REGISTERS // 2


class _Head(NamedTuple):
    """The first eight bytes of a sketch."""

    preamble_ints: int
    version: int
    family: int
    lg_registers: int
    lg_table: int
    flags: int
    extent: int
    """The length of a list, or the smallest register."""
    mode: int


class Distinct:
    """The different members that were added; at most about 50 kB while they are few, 4 kB when they are many."""

    __slots__ = ("_coupons", "_registers")

    def __init__(self) -> None:
        self._coupons: set[int] = set()
        self._registers: bytearray | None = None

    def add(self, member: bytes) -> None:
        """Count a member."""
        self._take(coupon_of(hash_of_member(member)))

    def merge(self, sketch: bytes) -> None:
        """Count the members of a sketch.

        Raises
        ------
        ValueError
            If the bytes are no whole sketch of this kind; nothing of it is counted then.
        """
        coupons, registers = _read(sketch)
        for coupon in coupons:
            self._take(coupon)
        if registers is not None:
            self._raise_to(registers)

    def count(self) -> float:
        """How many different members there are, to the nearest whole number."""
        if self._registers is None:
            return float(len(self._coupons))
        return float(round(_estimate(self._registers)))

    def sketch(self) -> bytes:
        """The bytes that servers merge."""
        if self._registers is not None:
            return _image_of_registers(self._registers)
        size = len(self._coupons)
        coupons = struct.pack(f"<{size}I", *sorted(self._coupons))
        if size <= _LIST_MAX:
            return _head(_LIST, _LG_LIST, size, 0 if size else _EMPTY) + coupons
        return _head(_SET, _lg_table(size, _LG_SET), 0) + struct.pack("<i", size) + coupons

    def _take(self, coupon: int) -> None:
        registers = self._registers
        if registers is not None:
            at = coupon & (REGISTERS - 1)
            registers[at] = max(registers[at], coupon >> _ADDRESS_BITS)
            return
        self._coupons.add(coupon)
        if len(self._coupons) > COUPONS_MAX:
            self._raise_to(bytes(REGISTERS))

    def _raise_to(self, others: bytes | bytearray) -> None:
        """Have registers, none lower than others."""
        if self._registers is None:
            coupons, self._coupons, self._registers = self._coupons, set(), bytearray(REGISTERS)
            for coupon in coupons:
                self._take(coupon)
        self._registers = bytearray(map(max, self._registers, others))


def hash_of_member(member: bytes) -> int:
    """The 64 bits that stand for a member of a set: `tallystick.kernels.hashing.hash_bytes` in Python's integers."""
    state = _KEY_0 ^ _fold(len(member) ^ _KEY_1, _KEY_0 ^ _KEY_1)
    whole = len(member) & ~15
    for at in range(0, whole, 16):
        first, second = (int.from_bytes(member[k : k + 8], "little") for k in (at, at + 8))
        state = _fold(first ^ _KEY_1, second ^ state)
    # A last word of fewer bytes holds them in its upper bytes.
    first = int.from_bytes(member[whole : whole + 8].rjust(8, b"\0"), "little")
    second = int.from_bytes(member[whole + 8 :].rjust(8, b"\0"), "little")
    return _fold(_fold(first ^ _KEY_1, second ^ state), _KEY_0 ^ 0x9E3779B97F4A7C15)


def coupon_of(number: int) -> int:
    """Address and value of 64 bits: MurmurHash3 for x64 of their eight bytes, as the DataSketches library seeds it."""
    k = number * 0x87C37B91114253D5 & _ALL
    k = (k << 31 | k >> 33) & _ALL
    first = (_SEED ^ k * 0x4CF5AD432745937F & _ALL) ^ 8
    second = _SEED ^ 8
    first = first + second & _ALL
    second = second + first & _ALL
    first, second = _mixed(first), _mixed(second)
    first = first + second & _ALL
    second = second + first & _ALL
    value = min(64 - second.bit_length(), _VALUE_MAX - 1) + 1
    return value << _ADDRESS_BITS | first & _ADDRESSES


def _fold(a: int, b: int) -> int:
    product = a * b
    return product >> 64 ^ product & _ALL


def _mixed(k: int) -> int:
    k = (k ^ k >> 33) * 0xFF51AFD7ED558CCD & _ALL
    k = (k ^ k >> 33) * 0xC4CEB9FE1A85EC53 & _ALL
    return k ^ k >> 33


def _estimate(registers: bytearray) -> float:
    having = Counter(registers)
    z = REGISTERS * _tau(1.0 - having[_VALUE_MAX] / REGISTERS)
    for value in range(_VALUE_MAX - 1, 0, -1):
        z = 0.5 * (z + having[value])
    z += REGISTERS * _sigma(having[0] / REGISTERS)
    return REGISTERS * REGISTERS / (2.0 * math.log(2.0) * z)


def _sigma(x: float) -> float:
    """The sum of ``x**(2**k) * 2**(k - 1)``, for registers that are still empty."""
    total, before, power = x, -1.0, 1.0
    while total != before and total < math.inf:
        x *= x
        before = total
        total += x * power
        power += power
    return total


def _tau(x: float) -> float:
    """As `_sigma`, for registers that can grow no more."""
    if x in (0.0, 1.0):
        return 0.0
    total, before, power = 1.0 - x, -1.0, 1.0
    while total != before:
        x = math.sqrt(x)
        before = total
        power *= 0.5
        total -= (1.0 - x) ** 2 * power
    return total / 3.0


def _lg_table(entries: int, least: int) -> int:
    """Of a hash table of which at most three quarters are taken."""
    lg = least
    while 4 * entries > 3 << lg:
        lg += 1
    return lg


def _head(mode: int, lg_table: int, extent: int, flags: int = 0) -> bytes:
    return bytes((_PREAMBLE_INTS[mode], _VERSION, _FAMILY, LG_REGISTERS, lg_table, flags | _COMPACT, extent, mode))


def _image_of_registers(registers: bytearray) -> bytes:
    least = min(registers)
    # What was added in which order is not known, so the library estimates as for merged sketches; see the flag.
    powers = [_sum_of_powers(registers, 0, 31), _sum_of_powers(registers, 32, _VALUE_MAX)]
    high = [(at, value) for at, value in enumerate(registers) if value - least >= _EXCEPTION]
    above = bytes(min(value - least, _EXCEPTION) for value in range(_VALUE_MAX + 1) if value >= least)
    nibbles = registers.translate(bytes(least) + above + bytes(256 - least - len(above)))
    numbers = _NUMBERS.pack(_estimate(registers), *powers, registers.count(least), len(high))
    return b"".join(
        (
            _head(_REGISTERS, _lg_table(len(high), _LG_EXCEPTIONS) if high else 0, least, _OUT_OF_ORDER),
            numbers,
            bytes(low | up << 4 for low, up in zip(nibbles[::2], nibbles[1::2], strict=True)),
            struct.pack(f"<{len(high)}I", *(value << _ADDRESS_BITS | at for at, value in high)),
        )
    )


def _sum_of_powers(registers: bytes | bytearray, first: int, last: int) -> float:
    """The sum of ``2**-value`` over the registers with values from `first` to `last`."""
    return math.fsum(n * 2.0**-value for value, n in Counter(registers).items() if first <= value <= last)


def _read(image: bytes) -> tuple[tuple[int, ...], bytes | None]:
    """The coupons and the registers of a sketch, the latter None where it has none."""
    if len(image) < 8:
        raise ValueError(f"cannot read a sketch of {len(image)} bytes: expected at least 8")
    head = _Head(*image[:8])
    known = head.mode <= _REGISTERS and head.preamble_ints == _PREAMBLE_INTS[head.mode]
    flags = head.flags & ~(_EMPTY | _OUT_OF_ORDER)
    if not known or (head.version, head.family, head.lg_registers, flags) != (
        _VERSION,
        _FAMILY,
        LG_REGISTERS,
        _COMPACT,
    ):
        raise ValueError("cannot read a sketch: expected one of DataSketches, compact, HLL_4, of 2**12 registers")
    if head.mode == _REGISTERS:
        return (), _read_registers(image, head.extent)
    if head.mode == _LIST:
        size, begin = head.extent, 8
    else:
        size, begin = int.from_bytes(image[8:12], "little"), 12
    if size > COUPONS_MAX or len(image) != begin + 4 * size:
        raise ValueError(f"cannot read a sketch of {len(image)} bytes: it says that {size} members are in it")
    coupons = struct.unpack_from(f"<{size}I", image, begin)
    if any(coupon >> _ADDRESS_BITS == 0 for coupon in coupons):
        raise ValueError("cannot read a sketch: a member has the value 0; expected 1 to 63")
    return coupons, None


def _read_registers(image: bytes, least: int) -> bytes:
    end = _NIBBLES_AT + _NIBBLES
    if len(image) < end:
        raise ValueError(f"cannot read a sketch of {len(image)} bytes: expected {end} for its registers")
    *_, n_high = _NUMBERS.unpack_from(image, 8)
    if n_high < 0 or len(image) != end + 4 * n_high:
        raise ValueError(f"cannot read a sketch of {len(image)} bytes: {n_high} large registers are not in it")
    above = bytearray(REGISTERS)
    above[::2] = bytes(nibble & 15 for nibble in image[_NIBBLES_AT:end])
    above[1::2] = bytes(nibble >> 4 for nibble in image[_NIBBLES_AT:end])
    coupons = struct.unpack_from(f"<{n_high}I", image, end)
    high = {coupon & (REGISTERS - 1): coupon >> _ADDRESS_BITS for coupon in coupons}
    exceptions = {at for at, value in enumerate(above) if value == _EXCEPTION}
    if len(high) != n_high or high.keys() != exceptions or min(high.values(), default=_VALUE_MAX) < least + _EXCEPTION:
        raise ValueError("cannot read a sketch: its large registers are not those that it says are large")
    values = [high.get(at, least + value) for at, value in enumerate(above)]
    if max(values) > _VALUE_MAX:
        raise ValueError(f"cannot read a sketch: a register is {max(values)}; expected at most {_VALUE_MAX}")
    return bytes(values)
