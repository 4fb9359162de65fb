"""What later steps of a pass import, brought in while landing waits for its sources: a run is a new process.

Packages that import each other in a circle (dbt does) must not be entered by two threads at once: Python then ends one
of them with `_DeadlockError`. So whoever needs these packages waits for the thread that imports them, and what landing
itself needs is imported before that thread begins.
"""

import importlib
import threading
from collections.abc import Sequence
from contextlib import suppress

FIRST = (
    "connectors.sync",
    "connectors.load",
    "connectors.postgres.reader",
    "connectors.rest.system",
    "connectors.files.reader",
)
LATER = ("dbt.cli.main", "dbt.adapters.duckdb", "kpi_models")

_lock = threading.Lock()
_thread: threading.Thread | None = None


def import_ahead() -> None:
    """Imports what landing needs here, then what follows in a thread of its own; once per process."""
    global _thread
    with _lock:
        if _thread is None:
            _import(FIRST)
            _thread = threading.Thread(target=_import, args=[LATER], name="imports", daemon=True)
            _thread.start()


def imported() -> None:
    """Returns when no other thread imports what later steps need; call it before importing any of it."""
    with _lock:
        thread = _thread
    if thread is not None and thread is not threading.current_thread():
        thread.join()


def _import(names: Sequence[str]) -> None:
    for name in names:
        with suppress(ImportError):  # the step itself says what is wrong
            importlib.import_module(name)
