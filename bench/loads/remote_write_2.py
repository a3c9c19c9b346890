"""Requests of Prometheus' remote write 2.0, decompressed: 500 samples each, ten labels a series, metadata."""

from itertools import chain

from bench.loads.remote_write import field, fleet, requests, varint

_COUNTER = b"\x08\x01"


def payloads(series: int, samples: int, seed: int) -> list[bytes]:
    labels = fleet(series)
    symbols = ["", *sorted(set(chain.from_iterable(chain.from_iterable(labels))))]
    place = {symbol: k for k, symbol in enumerate(symbols)}
    heads = [
        field(1, b"".join(varint(place[word]) for pair in pairs for word in pair)) + field(5, _COUNTER)
        for pairs in labels
    ]
    return requests(heads, samples, seed, lambda some: _request(symbols, some))


def _request(symbols: list[str], series: list[bytes]) -> bytes:
    """A request; each carries the symbols of the whole fleet, of which a sender's would be a part."""
    return b"".join(field(4, symbol.encode()) for symbol in symbols) + b"".join(field(5, one) for one in series)
