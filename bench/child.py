"""Measuring memory: work in a fresh process, whose memory is that of this work alone."""

import gc
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from bench.process import Usage

_SPAWN = multiprocessing.get_context("spawn")  # a fork would have what this process holds


def in_fresh_process(work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work`, a function of a module, returns in a process of its own."""
    here, there = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_run, args=(there, work, arguments))
    process.start()
    there.close()
    try:
        return here.recv()
    except EOFError:
        raise SystemExit(f"cannot measure: {work.__module__}.{work.__name__} failed") from None
    finally:
        process.join()


def resident_bytes() -> int:
    """Memory of this process, after what nobody refers to is gone."""
    gc.collect()
    return Usage.of(os.getpid()).resident_bytes


def _run(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    pipe.send(work(*arguments))
