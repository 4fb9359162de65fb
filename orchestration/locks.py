"""One pass at a time may write the warehouse and the marts; everybody else waits, bounded, and learns who holds it."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout


class Busy(Exception):
    """Somebody else held the lock for longer than we may wait. Transient: try again."""


@contextmanager
def held(path: Path, *, wait_s: float, doing: str) -> Iterator[None]:
    """Holds the file lock at `path`. The operating system frees it when the process dies, however it dies.

    Raises Busy after `wait_s` seconds, naming the holder's process and what it was doing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    note = path.with_suffix(path.suffix + ".holder")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=wait_s, poll_interval=0.1)
    except Timeout:
        raise Busy(
            f"{path.name} has been held for more than {wait_s:g} s by {_holder(note)}; try again later"
        ) from None
    try:
        about = {"pid": os.getpid(), "host": socket.gethostname(), "doing": doing, "since": _now()}
        note.write_text(json.dumps(about))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _holder(note: Path) -> str:
    try:
        about = json.loads(note.read_text())
        return f"process {about['pid']} ({about['doing']}, since {about['since']})"
    except (OSError, ValueError, KeyError):
        return "another process"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
