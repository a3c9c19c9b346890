"""What a server keeps is for its user and group: names, events and who blocked what as well as the numbers."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.config import Config, Http, Listener, Store
from tallystick.kernels.packed import padded
from tallystick.parse import protocols
from tallystick.service import Service
from tallystick.sql import copy_file


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
def test_nobody_else_can_read_the_files_of_a_store(tmp_path: Path) -> None:
    listeners = (Listener(protocol="statsd", address="udp://127.0.0.1:0"),)
    service = Service(
        Config(http=Http(address="127.0.0.1:0"), listeners=listeners, store=Store(directory=str(tmp_path)))
    )
    service.store.start()
    text = b"shop.orders:1|c\n"
    account = service.ledger.account(f"statsd {service.listening[0][1]}")
    service.intake.parse_stream(protocols()["statsd"](), padded(text), len(text), account, skipping=False, final=True)
    service._look_after()
    service._marks_of_series.look(service.store.catalog.ids())
    service._marks_of_series.save(0)
    copy_file(tmp_path / "events.db", tmp_path / "copy.db")
    written = [file for file in tmp_path.rglob("*") if file.is_file()]
    service.stop()
    written += [file for file in tmp_path.rglob("*") if file.is_file()]
    names = {file.name for file in written}
    assert {"series", "manifest", "copy.db", "events.db", "blocks.db-wal", "series-marks", "statsd-names"} <= names
    open_to_others = {file.name for file in written if file.exists() and file.stat().st_mode & stat.S_IRWXO}
    assert open_to_others == set()
