from collections.abc import Callable, Iterator

import pytest
from door import Door


@pytest.fixture
def open_door() -> Iterator[Callable[[], Door]]:
    """Opens doors on free ports; they are closed after the test."""
    doors: list[Door] = []

    def make() -> Door:
        doors.append(Door())
        return doors[-1]

    yield make
    for door in doors:
        door.close()


@pytest.fixture
def door(open_door: Callable[[], Door]) -> Door:
    return open_door()
