"""Opening the control store to look: nothing is written and no lock is waited for, on a full or read-only disk too."""

import shutil
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from connectors.control.faults import missing, told
from connectors.control.keeping import Keeping
from connectors.control.store import KEEPING, Control, open_control, was_used
from connectors.control.tables import metadata

WAIT_S = 5.0
MEMORY = Path("/dev/shm")  # noqa: S108 - a place that is not on the disk that is full; the copy is 0700
NO_PLACE = ("SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_FULL")
"""What SQLite says when it has no place for the index of its log; reading through a copy needs none."""


def read_control(where: str | Path, *, keeping: Keeping | None = None) -> Control:
    """The control store for looking only; an empty one when there is none and nothing was ever done in this home.

    A writer that holds it is not waited for: readers of a WAL see the last commit. Raises TransientError or
    PermanentError with the way out, as `open_control`.
    """
    if "://" in str(where):
        return open_control(where, keeping=keeping)
    path = Path(where).expanduser()
    keeping = keeping or Keeping(path.parent)
    if not path.exists():
        if was_used(path.parent):
            raise missing(str(path))
        return _empty(path, keeping)
    try:
        return _opened(path, f"{path.absolute().as_uri()}?mode=ro", keeping)
    except DBAPIError as error:
        if not str(getattr(error.orig, "sqlite_errorname", "")).startswith(NO_PLACE):
            raise told(error, str(path)) from error
    try:
        return _without_index(path, keeping)
    except DBAPIError as error:
        raise told(error, str(path)) from error


def _empty(path: Path, keeping: Keeping) -> Control:
    engine = create_engine("sqlite://", poolclass=StaticPool, execution_options={KEEPING: keeping})
    metadata.create_all(engine)
    return Control(engine, str(path), keeping)


def _opened(path: Path, uri: str, keeping: Keeping, copied: "TemporaryDirectory[str] | None" = None) -> Control:
    def connect() -> Any:
        return sqlite3.connect(uri, uri=True, timeout=WAIT_S, isolation_level=None, check_same_thread=False)

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, execution_options={KEEPING: keeping})
    event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            tables = connection.exec_driver_sql("select count(*) from sqlite_master").scalar()
    except BaseException:
        engine.dispose()
        raise
    if not tables:
        engine.dispose()
        if was_used(path.parent):
            raise missing(str(path))
        return _empty(path, keeping)
    return Control(engine, str(path), keeping, copied)


def _without_index(path: Path, keeping: Keeping) -> Control:
    """With no log beside it the file alone is the whole store; else both are read from a copy in memory."""
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or log.stat().st_size == 0:
        return _opened(path, f"{path.absolute().as_uri()}?mode=ro&immutable=1", keeping)
    copied = TemporaryDirectory(prefix="crossdock-", dir=MEMORY if MEMORY.is_dir() else None)
    for one in (path, log):
        shutil.copyfile(one, Path(copied.name) / one.name)
    return _opened(path, (Path(copied.name) / path.name).as_uri(), keeping, copied)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("begin")
