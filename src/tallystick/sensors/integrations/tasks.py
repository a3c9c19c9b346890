"""Tasks of Celery: ``tasks.runs`` by task and how it ended, ``tasks.time``, and ``tasks.wait`` from sending to begin.

The worker's processes are forked; each counts for itself, and flushes when it ends.
"""

import time
from importlib import import_module
from time import perf_counter
from types import ModuleType
from typing import Any

from tallystick.sensors.sensors import Sensors

_SENT = "tallystick_sent_s"
_UNDER_WAY_MAX = 10_000
_CLOCKS_APART_S_MAX = 7 * 86_400.0


def install(library: ModuleType, sensors: Sensors) -> None:
    """Count the tasks that are sent and run by this process and its forks."""
    signals = import_module(f"{library.__name__}.signals")
    tasks = Tasks(sensors)
    receivers = {
        signals.before_task_publish: tasks.sending,
        signals.task_prerun: tasks.begin,
        signals.task_postrun: tasks.end,
        signals.task_revoked: tasks.revoked,
        signals.worker_process_shutdown: tasks.flush,
        signals.worker_shutdown: tasks.flush,
    }
    for signal, receiver in receivers.items():
        signal.connect(receiver, weak=False, dispatch_uid=f"tallystick.{receiver.__name__}")


class Tasks:
    """What Celery tells of tasks, as numbers.

    Parameters
    ----------
    sensors
        Where to count.
    """

    def __init__(self, sensors: Sensors) -> None:
        self._sensors = sensors
        self._began: dict[str, float] = {}

    def sending(self, sender: str = "", headers: dict[str, Any] | None = None, **_: object) -> None:
        """A task is put into a queue; its headers say when."""
        if headers is not None:
            headers[_SENT] = time.time()
        self._sensors.counter("tasks.sent", task=sender).increment()

    def begin(self, task_id: str = "", task: Any = None, **_: object) -> None:
        """A task begins."""
        if len(self._began) < _UNDER_WAY_MAX:
            self._began[task_id] = perf_counter()
        sent_s = _said(task.request, _SENT)
        if isinstance(sent_s, int | float) and not _said(task.request, "eta"):
            waited_s = time.time() - sent_s  # of two clocks, where there are two machines
            if -1 < waited_s < _CLOCKS_APART_S_MAX:
                self._sensors.timing("tasks.wait", task=task.name).observe(max(0.0, waited_s))

    def end(self, task_id: str = "", task: Any = None, state: str | None = None, **_: object) -> None:
        """A task has ended, one way or another."""
        began = self._began.pop(task_id, None)
        if began is not None:
            self._sensors.timing("tasks.time", task=task.name).observe(perf_counter() - began)
        self._sensors.counter("tasks.runs", task=task.name, state=(state or "unknown").lower()).increment()

    def revoked(self, sender: Any = None, **_: object) -> None:
        """A task was called back before or while it ran."""
        self._sensors.counter("tasks.runs", task=getattr(sender, "name", "unknown"), state="revoked").increment()

    def flush(self, **_: object) -> None:
        """A process of the worker ends, without what Python does at an exit."""
        self._sensors.flush()


def _said(request: Any, header: str) -> object:
    found = getattr(request, header, None)
    return found if found is not None else (getattr(request, "headers", None) or {}).get(header)
