"""Where the numbers of logs lie: on their host, and for the cluster as those of the program."""

from collections.abc import Iterable, Iterator

from tallystick.model.kind import Kind
from tallystick.native import Slot
from tallystick.native.names import APPS, HOST, Place


def placed(slots: Iterable[Slot], place: Place) -> Iterator[Slot]:
    """Slots whose names begin with a program's, under the names that these have at `place`.

    What merges is there twice, for the host and for all hosts; of a level, that of a host only makes sense.
    """
    on_host, of_all = place.name(HOST) + ".", place.name(APPS) + "."
    for slot in slots:
        yield slot._replace(name=on_host + slot.name)
        if slot.kind is not Kind.GAUGE:
            yield slot._replace(name=of_all + slot.name)
