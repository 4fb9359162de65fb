"""Copy what landed into the warehouse: the batches not loaded yet, one landing file after the other, each in one
transaction.

A landing file is attached read-only for the length of its copy, files are taken in the order of their names, and what
was loaded is recorded in the same transaction as the rows: a load can be repeated, or killed anywhere, without losing
or doubling a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import duckdb

from connectors.landing.corruption import history_minded, is_unborn
from connectors.landing.lock import SETTINGS, opened, turn, waited
from connectors.landing.room import noted
from connectors.landing.tables import DOCUMENT, create_stream, schema_of
from connectors.load_system import SOURCE, copy_system, forget_system
from connectors.model import PermanentError, quoted

LOADED = """
create schema if not exists _load;
create table if not exists _load.loaded (system varchar, stream varchar, batch_id bigint, loaded_at timestamp);
alter table _load.loaded add column if not exists landing_began timestamp;
alter table _load.loaded add column if not exists batch_began timestamp;
"""
WIDE = "4GB"
"""What a load may take where a system's rows needed more than usual to land."""


class _Stream(Protocol):
    @property
    def name(self) -> str: ...


class _System(Protocol):
    @property
    def system(self) -> str: ...
    @property
    def streams(self) -> Sequence[Any]: ...


@dataclass
class LoadResult:
    """Log rows copied per `system.stream`, whether anything in the warehouse changed, the systems whose landing file is
    another than the one loaded before, so that all of it was copied again, and those whose file is damaged, with the
    reason and the way out: what the warehouse holds of them stays as it was."""

    rows: dict[str, int] = field(default_factory=dict)
    changed: bool = False
    anew: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def load(
    systems: Iterable[_System],
    home: Path | str,
    warehouse: duckdb.DuckDBPyConnection | Path | str,
    *,
    lock_timeout_s: float = 30,
) -> LoadResult:
    """Bring `raw_<system>` in the warehouse up to every system's landing file under `home`/landing.

    A file that stays locked longer than `lock_timeout_s` raises a TransientError naming the holder; what was copied
    before it stays. A system that never landed gets empty relations for its document streams. A damaged file holds up
    its own system alone; of a system that the warehouse holds nothing of yet, it raises a PermanentError.
    """
    result = LoadResult()
    waiting = sorted(systems, key=lambda one: one.system)
    files = {one.system: Path(home) / "landing" / f"{one.system}.duckdb" for one in waiting}
    is_wide = any(noted(path) for path in files.values())
    while waiting:
        with _connection(warehouse, lock_timeout_s, is_wide=is_wide) as db:
            db.execute(LOADED)
            waiting = _load_each(db, waiting, files, result, lock_timeout_s)
    return result


def _load_each(
    db: duckdb.DuckDBPyConnection,
    systems: list[_System],
    files: Mapping[str, Path],
    result: LoadResult,
    lock_timeout_s: float,
) -> list[_System]:
    """The systems that are still to be loaded: with a damaged file the connection that met it is of no more use."""
    for number, system in enumerate(systems):
        path = files[system.system]
        if (why := result.left_out.get(system.system)) and not _holds(db, system.system):
            raise PermanentError(why)
        if why is None and path.exists() and not is_unborn(path):
            try:
                with history_minded(path), attached(db, path, lock_timeout_s):
                    rows, is_another = copy_system(db, system.system)
            except PermanentError as damaged:
                result.left_out[system.system] = str(damaged)
                return systems[number:]
            result.rows |= rows
            result.changed |= any(rows.values())
            result.anew += [system.system] if is_another else []
        _create_missing(db, system, result)
    return []


def forget(system: str, warehouse: duckdb.DuckDBPyConnection | Path | str, lock_timeout_s: float = 30) -> None:
    """Drop what the warehouse holds of `system`, so that the next load copies its whole log again."""
    with _connection(warehouse, lock_timeout_s) as db:
        db.execute(LOADED)
        db.execute("begin")
        forget_system(db, system)
        db.execute("commit")


@contextmanager
def _connection(
    warehouse: duckdb.DuckDBPyConnection | Path | str, timeout_s: float, *, is_wide: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    if isinstance(warehouse, duckdb.DuckDBPyConnection):
        yield warehouse
        return
    path = Path(warehouse)
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened(path, timeout_s, {**SETTINGS, "memory_limit": WIDE if is_wide else "1GB"}) as db:
        yield db


@contextmanager
def attached(db: duckdb.DuckDBPyConnection, path: Path, timeout_s: float) -> Iterator[None]:
    """Attach a landing file read-only as `_landing` for the length of the block, waiting while somebody commits to
    it.
    """
    target = str(path).replace("'", "''")
    with turn(path, timeout_s):
        waited(path, timeout_s, lambda: db.execute(f"attach '{target}' as {SOURCE} (read_only)"))
        try:
            yield
        finally:
            db.execute(f"detach {SOURCE}")


def _holds(db: duckdb.DuckDBPyConnection, system: str) -> bool:
    return db.execute("select 1 from _load.loaded where system = ?", [system]).fetchone() is not None


def _create_missing(db: duckdb.DuckDBPyConnection, system: _System, result: LoadResult) -> None:
    """A declared document stream that never landed exists as an empty table, so that what selects from it builds."""
    if getattr(getattr(system, "read", None), "kind", "") == "postgres":
        return
    db.execute(f"create schema if not exists {quoted(schema_of(system.system))}")
    for stream in system.streams:
        create_stream(db, system.system, stream.name, DOCUMENT)
        result.rows.setdefault(f"{system.system}.{stream.name}", 0)
