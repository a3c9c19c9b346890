"""Which servers a name goes to, as carbon's and carbon-c-relay's hashes have it, so that rings can be mixed.

Each way of spreading is a class with one method, `members`: positions of servers in the order of the config, the first
one first. Facts are those of carbon-c-relay 3.7, whose ``carbon_ch`` is that of Python's carbon.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from hashlib import md5
from typing import Protocol

_POINTS = 100
"""Of each server on a ring."""
_U32, _U64 = (1 << 32) - 1, (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Place:
    """A server as hashes see it: its address, and the instance that may stand for it."""

    host: str
    port: int
    instance: str | None = None


class Spreading(Protocol):
    """How names are spread over servers."""

    def members(self, name: bytes) -> list[int]:
        """The servers of a name, by position."""
        ...


class Ring:
    """Servers at a hundred points each of a ring of 65,536; a name goes to those that follow its own point."""

    def __init__(self, points: list[tuple[int, int]], servers: int, replication: int) -> None:
        self._at = [position for position, _ in points]
        self._of = [server for _, server in points]
        for k in range(1, len(points)):
            if self._at[k] == self._at[k - 1]:  # carbon-c-relay gives a point to one server
                self._of[k] = self._of[k - 1]
        self._wanted = min(replication, servers)

    def following(self, position: int) -> list[int]:
        """The servers from a point on, each once."""
        found: list[int] = []
        k = bisect_left(self._at, position)
        for step in range(len(self._of)):
            server = self._of[(k + step) % len(self._of)]
            if server not in found:
                found.append(server)
                if len(found) == self._wanted:
                    break
        return found


class CarbonRing:
    """``carbon_ch``: MD5 of host and instance; the port does not count."""

    def __init__(self, places: Sequence[Place], replication: int) -> None:
        points = [
            (_md5_point(f"('{place.host}', {_quoted(place.instance)}):{k}".encode()), server)
            for server, place in enumerate(places)
            for k in range(_POINTS)
        ]
        self._ring = Ring(sorted(points, key=lambda p: (p[0], *_carbon_order(places[p[1]]))), len(places), replication)

    def members(self, name: bytes) -> list[int]:
        """See `Spreading.members`."""
        return self._ring.following(_md5_point(name))


class Fnv1aRing:
    """``fnv1a_ch``: FNV-1a of host and port, or of the instance alone where there is one."""

    def __init__(self, places: Sequence[Place], replication: int) -> None:
        points = [
            (_fnv_point(f"{k}-{place.instance or f'{place.host}:{place.port}'}".encode()), server)
            for server, place in enumerate(places)
            for k in range(_POINTS)
        ]
        ordered = sorted(points, key=lambda p: (p[0], places[p[1]].host, places[p[1]].port))
        self._ring = Ring(ordered, len(places), replication)

    def members(self, name: bytes) -> list[int]:
        """See `Spreading.members`."""
        return self._ring.following(_fnv_point(name))


class JumpFnv1a:
    """``jump_fnv1a_ch``: the jump hash (Lamping and Veach, 2014) over servers in the order of their instances."""

    def __init__(self, places: Sequence[Place], replication: int) -> None:
        numbered = sorted(enumerate(places), key=cmp_to_key(_by_instance))
        self._order = [server for server, _ in numbered]
        self._wanted = min(replication, len(places))

    def members(self, name: bytes) -> list[int]:
        """See `Spreading.members`."""
        key, left, found = fnv1a(name, 0xCBF29CE484222325, 0x100000001B3, _U64), list(self._order), []
        while True:
            bucket = _jump(key, len(left))
            found.append(left[bucket])
            if len(found) == self._wanted:
                return found
            left[bucket] = left[-1]
            left.pop()
            key = _shifted(key)  # another number for the next server


class EachOne:
    """``all``: every server has every name."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._all = list(range(len(places)))

    def members(self, name: bytes) -> list[int]:
        """See `Spreading.members`."""
        return self._all


class AnyOne:
    """``any``: one server for each name, always the same one while it is there."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._servers = len(places)

    def members(self, name: bytes) -> list[int]:
        """See `Spreading.members`."""
        return [fnv1a(name, 0x811C9DC5, 0x01000193, _U32) % self._servers]


class FirstOne:
    """``failover``: the first server, while it is there."""

    def members(self, name: bytes) -> list[int]:
        """See `Spreading.members`."""
        return [0]


def spreading(way: str, places: Sequence[Place], replication: int) -> Spreading:
    """The spreading of a word of the config, see `tallystick.config.relays.WAYS`."""
    match way:
        case "carbon_ch":
            return CarbonRing(places, replication)
        case "fnv1a_ch":
            return Fnv1aRing(places, replication)
        case "jump_fnv1a_ch":
            return JumpFnv1a(places, replication)
        case "any":
            return AnyOne(places)
        case "failover":
            return FirstOne()
    return EachOne(places)


def fnv1a(data: bytes, basis: int, prime: int, mask: int) -> int:
    """FNV-1a of the width of `mask`, where bytes above 127 count as the negative numbers that they are to C on x86."""
    hashed = basis
    for byte in data:
        hashed = ((hashed ^ (byte if byte < 128 else byte - 256)) * prime) & mask
    return hashed


def _fnv_point(data: bytes) -> int:
    hashed = fnv1a(data, 0x811C9DC5, 0x01000193, _U32)
    return (hashed >> 16) ^ (hashed & 0xFFFF)


def _md5_point(data: bytes) -> int:
    return int.from_bytes(md5(data, usedforsecurity=False).digest()[:2], "big")


def _quoted(instance: str | None) -> str:
    return "None" if instance is None else f"'{instance}'"


def _carbon_order(place: Place) -> tuple[str, bool, str]:
    return place.host, place.instance is None, place.instance or ""


def _by_instance(one: tuple[int, Place], other: tuple[int, Place]) -> int:
    """Those with an instance come first, by number where both are numbers; the others stay in their order."""
    a, b = one[1].instance, other[1].instance
    if a is None or b is None:
        return (a is None) - (b is None)
    if a.isdecimal() and b.isdecimal():
        return int(a) - int(b)
    return (a > b) - (a < b)


def _jump(key: int, buckets: int) -> int:
    bucket, following = -1, 0
    while following < buckets:
        bucket = following
        key = (key * 2862933555777941757 + 1) & _U64
        following = int(float(bucket + 1) * (float(1 << 31) / float((key >> 33) + 1)))
    return bucket


def _shifted(key: int) -> int:
    """The next number of xorshift64* (Vigna, 2016)."""
    key ^= key >> 12
    key ^= (key << 25) & _U64
    key ^= key >> 27
    return (key * 2685821657736338717) & _U64
