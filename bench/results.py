"""Writing the figures of a run into ``bench/RESULTS.md``, above the notes that people write there."""

import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.figure import Benchmark, Figure

_NOTES = "## Notes\n"
_PACKAGES = ("numpy", "numba", "pcodec", "uvloop", "uvicorn")

Section = tuple[Benchmark, Sequence[Figure], str]
"""A benchmark, its figures, and the load average before it."""


def write(file: Path, sections: Sequence[Section]) -> None:
    """Replace everything above the notes."""
    notes = _NOTES + (file.read_text().partition(_NOTES)[2] if file.exists() else "\n")
    parts = ["# Figures of one run\n", _head(), *(_section(*section) for section in sections), notes]
    file.write_text("\n".join(parts))


def _head() -> str:
    model = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    memory_gb = psutil.virtual_memory().total / 1e9
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"- **When**: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, at commit {commit.strip() or 'unknown'}\n"
        f"- **Where**: {psutil.cpu_count()} shared cores of {model.partition(': ')[2]}, {memory_gb:.0f} GB, "
        f"Linux {platform.release().partition('-')[0]}; senders and readers run on the same cores\n"
        f"- **With**: Python {platform.python_version()}, {packages}\n"
        "- **How**: `python -m bench --peer --results bench/RESULTS.md`; each table by the command above it. CPU "
        "seconds are those of the whole server process, kernel time included, until everything is durable\n"
    )


def _section(benchmark: Benchmark, figures: Sequence[Figure], load: str) -> str:
    rows = [_row(figure) for figure in figures]
    return "\n".join(
        [
            f"## {benchmark.name}: `python -m bench {benchmark.name}`\n",
            f"{benchmark.about} Load average before: {load.removeprefix('load ')}.\n",
            "| work | figure | target | met | |",
            "|---|---:|---|---|---|",
            *rows,
            "",
        ]
    )


def _row(figure: Figure) -> str:
    met = "" if not figure.target else "yes" if figure.met else "**no**"
    return f"| {figure.what} | {figure.number} {figure.unit} | {figure.target} | {met} | {figure.note} |"
