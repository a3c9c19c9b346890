"""What Prometheus' remote write says of metrics.

Version 1.0 sends metadata of families once a minute, mostly by itself; 2.0 sends it with each series, as positions in
the request's table of symbols.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/, .../remote_write_spec_2_0/ and their types.proto
"""

from collections.abc import Callable, Iterator
from itertools import islice

from tallystick.parse.exposition_meta import of_family, of_series
from tallystick.parse.fields import Fields, packed_numbers, text_of
from tallystick.parse.meant import Meant

_METADATA = 3
_SYMBOLS, _SERIES = 4, 5
_LABELS, _OF_SERIES = 1, 5
_HELP_2, _UNIT_2 = 3, 4
_TYPE, _FAMILY, _HELP, _UNIT = 1, 2, 4, 5
_NAME = "__name__"
_LABELS_MAX = 100
"""Among so many of a series its name is looked for."""
_TYPES = ("", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")


def meant_by_request(body: bytes | memoryview) -> Iterator[Meant]:
    """What a request says of the series of its families."""
    fields = Fields()
    for metadata in fields.messages(memoryview(body), _METADATA):
        told = dict(fields.of(metadata))
        if name := text_of(told.get(_FAMILY)):
            sort = _sort(told.get(_TYPE, 0))
            yield from of_family(name, sort, text_of(told.get(_UNIT)), text_of(told.get(_HELP)))


def meant_by_request_2(body: bytes | memoryview) -> Iterator[Meant]:
    """What a request of 2.0 says of its series, of each name once.

    A symbol is read once, however long it is and however many refer to it.
    """
    fields = Fields()
    parts = list(fields.of(memoryview(body)))
    symbols = [piece for number, piece in parts if number == _SYMBOLS]
    texts: dict[int, str] = {}
    seen: set[str] = set()

    def symbol(at: memoryview | int | None) -> str:
        if not isinstance(at, int) or at >= len(symbols):
            return ""
        if at not in texts:
            texts[at] = text_of(symbols[at])
        return texts[at]

    for number, series in parts:
        if number != _SERIES or not isinstance(series, memoryview):
            continue
        told = dict(fields.of(series))
        name, metadata = _name(told.get(_LABELS), symbol), told.get(_OF_SERIES)
        if name and name not in seen and isinstance(metadata, memoryview):
            seen.add(name)
            words = dict(fields.of(metadata))
            sort = _sort(words.get(_TYPE, 0))
            yield from of_series(name, sort, symbol(words.get(_UNIT_2)), symbol(words.get(_HELP_2)))


def _sort(number: memoryview | int) -> str:
    return _TYPES[number] if isinstance(number, int) and number < len(_TYPES) else ""


def _name(references: memoryview | int | None, symbol: Callable[[int], str]) -> str:
    """The value of the label ``__name__``: labels are sorted, and capitals stand before it at most."""
    if not isinstance(references, memoryview):
        return ""
    pairs = packed_numbers(references)
    labels = islice(zip(pairs, pairs, strict=False), _LABELS_MAX)
    return next((symbol(value) for key, value in labels if symbol(key) == _NAME), "")
