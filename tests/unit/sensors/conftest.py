"""Doors that sensors send to, and sensors that flush only when they are told."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from hearing import PLACE, Hearing, Run, hearing, settings_for
from tallystick.model.clock import ManualClock
from tallystick.sensors import Sensors


@pytest.fixture
def door() -> Iterator[Hearing]:
    with hearing() as opened:
        yield opened


@pytest.fixture
def own(door: Hearing) -> Iterator[Sensors]:
    # A clock that stands still: the thread is there and does not interfere.
    sensors = Sensors(settings_for(door), ManualClock())
    yield sensors
    sensors.close()


@pytest.fixture
def run(door: Hearing) -> Run:
    """Runs a program in Python that sends to the door."""

    def run_program(program: str, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        found = subprocess.run(
            [sys.executable, *arguments, "-c", program],
            env=os.environ | PLACE | {"TALLYSTICK_AGENT": door.address} | environ,
            timeout=60,
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stderr
        return found

    return run_program
