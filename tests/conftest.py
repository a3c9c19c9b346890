"""In which order tests run, and what they leave behind."""

import gc
from pathlib import Path

import pytest

_FILES_MAX = 200


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes comes first, so that no worker is left with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_runtest_teardown() -> None:
    """Stores that a test let crash hold their files until they are collected, which may take a thousand tests."""
    if sum(1 for _ in Path("/proc/self/fd").iterdir()) > _FILES_MAX:
        gc.collect()
