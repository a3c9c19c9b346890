"""A store in memory behind a database, and the same behind a server's HTTP."""

import pytest
from filled import NOW_S, filled_store

from tallystick.database.local import LocalDatabase
from tallystick.model.clock import ManualClock


@pytest.fixture
def db() -> LocalDatabase:
    return LocalDatabase(filled_store(), "memory", clock=ManualClock(float(NOW_S)))
