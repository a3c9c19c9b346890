"""Something to do once a module is imported, whoever imports it."""

import importlib.util
import logging
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType

log = logging.getLogger(__name__)

Hook = Callable[[ModuleType], None]


class Imports(MetaPathFinder):
    """Finds modules as everybody else does, and calls a hook when one that it waits for has been loaded.

    Parameters
    ----------
    hooks
        By the names of their modules.
    """

    def __init__(self, hooks: dict[str, Hook]) -> None:
        self._waiting = dict(hooks)
        self._asked: ContextVar[frozenset[str]] = ContextVar("asked", default=frozenset())

    def begin(self) -> None:
        """Call the hooks of modules that are there already, and wait for the others."""
        sys.meta_path.insert(0, self)
        for name in [name for name in self._waiting if name in sys.modules]:
            self._call(name, self._waiting.pop(name))

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._waiting or fullname in self._asked.get():
            return None
        asked = self._asked.set(self._asked.get() | {fullname})
        try:
            spec = importlib.util.find_spec(fullname)  # by the others
        finally:
            self._asked.reset(asked)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            self._load_with(spec.loader, fullname)
        return spec  # which may be asked for more often than it is loaded

    def _load_with(self, loader: SourceFileLoader, name: str) -> None:
        load = loader.exec_module

        def load_and_call(module: ModuleType) -> None:
            vars(loader).pop("exec_module", None)
            load(module)
            hook = self._waiting.pop(name, None)
            if hook is not None:
                self._call(name, hook)

        vars(loader)["exec_module"] = load_and_call

    def _call(self, name: str, hook: Hook) -> None:
        try:
            hook(sys.modules[name])
        except Exception as error:  # of a version that we do not know: the program has to run all the same
            log.warning("cannot count what %s does: %s: %s", name, type(error).__name__, error)
