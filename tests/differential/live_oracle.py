"""Random targets give what graphite-web gives, asked live: a step of ``make oracle``, which installs it.

The suite does not collect this file; what it draws each time has its like in the recorded nestings.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from comparing import Answer, answer, assert_same
from nestings import drawn

ROOT = Path(__file__).parent.parent.parent
ORACLE = ROOT / ".oracle" / "bin" / "python"
SEED = int(os.environ.get("ORACLE_SEED", "5"))
TARGETS = int(os.environ.get("ORACLE_TARGETS", "150"))
SCENE = "nestings"


@pytest.fixture(scope="module")
def ask() -> Iterator[Callable[[str], Answer]]:
    """A process that holds graphite-web."""
    command = [str(ORACLE), str(ROOT / "tools" / "record_oracle.py"), "--answer"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        pipe, answers = process.stdin, process.stdout

        def asked(target: str) -> Answer:
            print(json.dumps([SCENE, target]), file=pipe, flush=True)
            line: Answer = json.loads(answers.readline())
            return line

        yield asked
        pipe.close()


def test_a_random_nesting_gives_what_graphite_gives(ask: Callable[[str], Answer]) -> None:
    source = Random(SEED)
    for number in range(TARGETS):
        target = drawn(source)
        theirs = ask(target)
        if isinstance(theirs, dict):
            continue  # what it does with errors is recorded, each by itself
        try:
            assert_same(answer(SCENE, target), theirs, target=target)
        except (AssertionError, ValueError) as error:
            raise AssertionError(f"seed {SEED}, target {number}: {target}") from error
