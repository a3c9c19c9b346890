"""The limit of names, over a restart."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.config import Config, Http, Store
from tallystick.kernels.packed import padded
from tallystick.model.clock import ManualClock
from tallystick.parse import protocols
from tallystick.service import Service

NOW_S = 1_700_000_000


@contextmanager
def serving(directory: Path, series_max: int) -> Iterator[Service]:
    store = Store(directory=str(directory), series_max=series_max)
    config = Config(http=Http(address="127.0.0.1:0"), listeners=(), store=store)
    service = Service(config, ManualClock(float(NOW_S)))
    service.store.start()
    try:
        yield service
    finally:
        service.stop()


def write(service: Service, *names: str) -> tuple[int, dict[str, int]]:
    text = "".join(f"{name} 1 {NOW_S}\n" for name in names).encode()
    account = service.ledger.account("test", str(len(service.ledger.peers("test"))))
    parser = protocols()["carbon"]()
    service.intake.parse_stream(parser, padded(text), len(text), account, skipping=False, final=True)
    balance = account.snapshot()
    return balance.stored, balance.rejected


def test_a_restart_neither_raises_the_limit_nor_gives_the_places_of_known_series_away(tmp_path: Path) -> None:
    with serving(tmp_path, series_max=4) as service:
        assert write(service, "a", "b", "c") == (3, {})
    with serving(tmp_path, series_max=4) as service:
        assert write(service, "d", "e", "f") == (1, {"series_limit": 2})
        assert write(service, "a", "b", "c", "d") == (4, {})
        assert len(service.store.catalog) == 4


def test_a_limit_below_what_there_is_refuses_only_what_is_new(tmp_path: Path) -> None:
    with serving(tmp_path, series_max=4) as service:
        write(service, "a", "b", "c")
    with serving(tmp_path, series_max=1) as service:
        assert write(service, "d", "c", "a") == (2, {"series_limit": 1})
