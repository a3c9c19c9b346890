"""What Prometheus' remote write 1.0 says of metrics: the metadata that it sends once a minute, mostly by itself.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec/ and its types.proto
"""

from collections.abc import Iterator

from tallystick.parse.exposition_meta import of_family
from tallystick.parse.fields import Fields, text_of
from tallystick.parse.meant import Meant

_METADATA = 3
_TYPE, _FAMILY, _HELP, _UNIT = 1, 2, 4, 5
_TYPES = ("", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")


def meant_by_request(body: bytes | memoryview) -> Iterator[Meant]:
    """What a request says of the series of its families."""
    fields = Fields()
    for metadata in fields.messages(memoryview(body), _METADATA):
        told = dict(fields.of(metadata))
        number = told.get(_TYPE, 0)
        sort = _TYPES[number] if isinstance(number, int) and number < len(_TYPES) else ""
        if name := text_of(told.get(_FAMILY)):
            yield from of_family(name, sort, text_of(told.get(_UNIT)), text_of(told.get(_HELP)))
