"""Writing the figures of a run into ``bench/RESULTS.md``, above the notes that people write there.

Each benchmark has a section of its own there; those that were not run stay as they are.
"""

import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.figure import Benchmark, Figure

_NOTES = "## Notes\n"
_SECTION = re.compile(r"(?m)^## (?=([\w-]+): `python -m bench)")
_PACKAGES = ("numpy", "numba", "pcodec", "uvloop", "uvicorn")

Section = tuple[Benchmark, Sequence[Figure], str]
"""A benchmark, its figures, and the load average before it."""


def write(file: Path, sections: Sequence[Section]) -> None:
    """Replace the sections of these benchmarks, and have new ones above the notes."""
    above, _, notes = file.read_text().partition(_NOTES) if file.exists() else ("", "", "\n")
    _, *parts = _SECTION.split(above)
    found = {name: f"## {text}" for name, text in zip(parts[::2], parts[1::2], strict=True)}
    found |= {benchmark.name: _section(benchmark, *rest) + "\n" for benchmark, *rest in sections}
    file.write_text("\n".join(["# Figures\n", _head(), "".join(found.values()) + _NOTES]) + notes)


def _head() -> str:
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    memory_gb = psutil.virtual_memory().total / 1e9
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"- **Where**: {psutil.cpu_count()} shared cores of {model.partition(': ')[2]}, {memory_gb:.0f} GB, "
        f"Linux {platform.release().partition('-')[0]}; senders and readers run on the same cores\n"
        f"- **With**: Python {platform.python_version()}, {packages}\n"
        "- **How**: `python -m bench --peer --results bench/RESULTS.md`, or some benchmarks by their names. CPU "
        "seconds are those of the whole server process, kernel time included, until everything is durable\n"
    )


def _section(benchmark: Benchmark, figures: Sequence[Figure], load: str) -> str:
    rows = [_row(figure) for figure in figures]
    return "\n".join(
        [
            f"## {benchmark.name}: `python -m bench {benchmark.name}`\n",
            f"{benchmark.about} Taken {_moment()}, load average before: {load.removeprefix('load ')}.\n",
            "| work | figure | target | met | |",
            "|---|---:|---|---|---|",
            *rows,
            "",
        ]
    )


def _moment() -> str:
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC at commit {commit or 'unknown'}"


def _row(figure: Figure) -> str:
    met = "" if not figure.target else "yes" if figure.met else "**no**"
    return f"| {figure.what} | {figure.number} {figure.unit} | {figure.target} | {met} | {figure.note} |"
