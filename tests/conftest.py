"""In which order tests run, and what they leave behind."""

import gc
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_FILES_MAX = 200


@pytest.fixture(scope="module")
def open_path() -> Iterator[Path]:
    """A directory that daemons of other users can reach; pytest keeps its own to itself, at each start of another."""
    root = Path(tempfile.mkdtemp(prefix="tallystick-tests-"))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def deserted_port() -> Iterator[int]:
    """A port of TCP that refuses connections; it is held during the test, so that nobody else comes there."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def pytest_configure() -> None:
    """Hear Ctrl-C, as do the programs of tests: what a shell starts in the background passes over it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes comes first, so that no worker is left with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_runtest_teardown() -> None:
    """Stores that a test let crash hold their files until they are collected, which may take a thousand tests."""
    if sum(1 for _ in Path("/proc/self/fd").iterdir()) > _FILES_MAX:
        gc.collect()
