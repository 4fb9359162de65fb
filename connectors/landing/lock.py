"""Open a DuckDB file, waiting a bounded time while another process or thread has it.

DuckDB lets one process write or many read. Landing and load keep a file open only while they commit or copy, so a
conflict is a short wait; one that is not short ends in an error that names who holds the file.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from connectors.landing.corruption import is_unborn
from connectors.model import TransientError

T = TypeVar("T")
POLL_S = 0.05
SETTINGS: dict[str, Any] = {"autoinstall_known_extensions": "false", "memory_limit": "128MB", "threads": "1"}
"""One thread: to keep the order of rows, several would gather and copy each insert once more, at two to three times the
CPU; the other core is kept busy by the source and the decoder.
"""

_registry: dict[str, tuple[threading.Lock, list[str]]] = {}
_registry_lock = threading.Lock()


def is_locked(error: duckdb.Error) -> bool:
    """DuckDB's own words for a file that another process, or another instance in this process, has open."""
    text = str(error)
    return (
        "Could not set lock on file" in text
        or "Unique file handle conflict" in text
        or "different configuration" in text
    )


def holder_of(error: duckdb.Error) -> str:
    """Who holds the file, from DuckDB's message and, where the system tells, the command of that process."""
    found = re.search(r"\(PID (\d+)\)", str(error))
    if not found:
        return f"this process (PID {os.getpid()})"
    command = ""
    with suppress(OSError):
        command = (
            Path(f"/proc/{found[1]}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()[:160]
        )
    return f"PID {found[1]}" + (f" ({command})" if command else "")


def waited(path: Path, timeout_s: float, attempt: Callable[[], T]) -> T:
    """Run `attempt` until it no longer meets a lock on `path`; after `timeout_s` raise a TransientError that names
    the holder.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return attempt()
        except duckdb.Error as error:
            if not is_locked(error):
                raise
            if time.monotonic() >= deadline:
                raise TransientError(
                    f"{path.name} stayed locked for {timeout_s:g} s by {holder_of(error)}.",
                    "Let that process finish or close the file, then run again; nothing was landed or lost.",
                ) from error
        time.sleep(POLL_S)


@contextmanager
def turn(path: Path, timeout_s: float) -> Iterator[None]:
    """One user of a file at a time inside this process, in which DuckDB would share one instance between threads."""
    name = os.path.realpath(path)
    with _registry_lock:
        lock, holder = _registry.setdefault(name, (threading.Lock(), []))
    if not lock.acquire(timeout=timeout_s):
        who = holder[0] if holder else "another thread"
        raise TransientError(
            f"{path.name} stayed locked for {timeout_s:g} s by this process (PID {os.getpid()}), {who}.",
            "Let it finish, then run again; nothing was landed or lost.",
        )
    holder[:] = [f"thread {threading.current_thread().name}"]
    try:
        yield
    finally:
        holder.clear()
        lock.release()


def _give_up_unborn(path: Path) -> None:
    """Remove an unborn file, unless it has DuckDB's own lock: then somebody is making it."""
    if is_unborn(path):
        with path.open("r+b") as file, suppress(OSError):
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_unborn(path):
                path.unlink()


@contextmanager
def opened(path: Path, timeout_s: float, settings: dict[str, Any] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-write connection to `path` for the length of the block; an unborn file is made anew."""
    with turn(path, timeout_s):
        _give_up_unborn(path)
        config = {**SETTINGS, **(settings or {})}
        connection = waited(path, timeout_s, lambda: duckdb.connect(str(path), config=config))
        try:
            connection.execute("set timezone = 'UTC'")
            yield connection
        finally:
            connection.close()
