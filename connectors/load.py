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
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb

from connectors.landing.corruption import history_minded
from connectors.landing.lock import SETTINGS, opened, turn, waited
from connectors.landing.room import noted
from connectors.landing.state import apply
from connectors.landing.tables import (
    DOCUMENT,
    LOG_META,
    UNTIL,
    create_stream,
    landed_columns,
    log_of,
    schema_of,
    state_of,
)
from connectors.model import Column, PermanentError, quoted

LOADED = """
create schema if not exists _load;
create table if not exists _load.loaded (system varchar, stream varchar, batch_id bigint, loaded_at timestamp);
alter table _load.loaded add column if not exists landing_began timestamp;
alter table _load.loaded add column if not exists batch_began timestamp;
"""
SOURCE = "_landing"
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
    its own system alone; of a database that the warehouse holds nothing of, it raises a PermanentError.
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
        if (why := result.left_out.get(system.system)) and _is_unknown(db, system):
            raise PermanentError(why)
        if why is None and path.exists():
            try:
                with history_minded(path), attached(db, path, lock_timeout_s):
                    _copy_system(db, system.system, result)
            except PermanentError as damaged:
                result.left_out[system.system] = str(damaged)
                return systems[number:]
        _create_missing(db, system, result)
    return []


def forget(system: str, warehouse: duckdb.DuckDBPyConnection | Path | str, lock_timeout_s: float = 30) -> None:
    """Drop what the warehouse holds of `system`, so that the next load copies its whole log again."""
    with _connection(warehouse, lock_timeout_s) as db:
        db.execute(LOADED)
        db.execute("begin")
        _forget(db, system)
        db.execute("commit")


def _forget(db: duckdb.DuckDBPyConnection, system: str) -> None:
    db.execute(f"drop schema if exists {quoted(schema_of(system))} cascade")
    db.execute("delete from _load.loaded where system = ?", [system])


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


def _copy_system(db: duckdb.DuckDBPyConnection, system: str, result: LoadResult) -> None:
    """Copy every stream's new batches in one transaction: the streams of a batch appear together."""
    streams = db.execute(f"select distinct stream from {SOURCE}._land.schema_version order by 1").fetchall()
    newest = (db.execute(f"select coalesce(max(batch_id), 0) from {SOURCE}._land.batch").fetchone() or (0,))[0]
    began, last_began = _began(db, 1), _began(db, newest)
    db.execute("begin")
    try:
        if _is_another(db, system, began):
            _forget(db, system)
            result.anew.append(system)
        db.execute(f"create schema if not exists {quoted(schema_of(system))}")
        for (stream,) in streams:
            copied = _copy_stream(db, system, stream, newest, began, last_began)
            result.rows[f"{system}.{stream}"] = copied
            result.changed |= copied > 0
        db.execute("commit")
    except BaseException:
        db.execute("rollback")
        raise


def _began(db: duckdb.DuckDBPyConnection, batch: int) -> datetime | None:
    row = db.execute(f"select min(started_at) from {SOURCE}._land.batch where batch_id = ?", [batch]).fetchone()
    return row[0] if row else None


def _is_another(db: duckdb.DuckDBPyConnection, system: str, began: datetime | None) -> bool:
    """Whether the landing file is not the one loaded before, grown: a new one counts its batches from 1 again, an older
    copy put back counts on from where it was, so that a number loaded before names another batch, or none yet."""
    first = db.execute("select 1 from _load.loaded where system = ? and landing_began <> ?", [system, began]).fetchone()
    known = db.execute(
        "select distinct batch_id, batch_began from _load.loaded where system = ? and batch_began is not null", [system]
    ).fetchall()
    return first is not None or any(_began(db, batch) != at for batch, at in known)


def _copy_stream(
    db: duckdb.DuckDBPyConnection,
    system: str,
    stream: str,
    newest: int,
    began: datetime | None,
    last_began: datetime | None,
) -> int:
    columns = landed_columns(db, stream, f"{SOURCE}._land")[1]
    if _was_retyped(db, system, stream, columns):
        db.execute(f"drop table {log_of(system, stream)}; drop table {state_of(system, stream)}")
        db.execute("delete from _load.loaded where system = ? and stream = ?", [system, stream])
    create_stream(db, system, stream, columns)
    _add_columns(db, system, stream, columns)
    log, state = log_of(system, stream), state_of(system, stream)
    row = db.execute(
        "select max(batch_id) from _load.loaded where system = ? and stream = ?", [system, stream]
    ).fetchone()
    done = row[0] if row and row[0] is not None else -1
    if newest <= done:
        return 0
    names = ", ".join([*LOG_META, *(quoted(c.name) for c in columns)])
    db.execute(f"insert into {log} ({names}) select {names} from {SOURCE}.{log} where _batch_id > {done}")
    copied = (db.execute(f"select count(*) from {log} where _batch_id > {done}").fetchone() or (0,))[0]
    if copied:
        apply(db, log, state, columns, f"_batch_id > {done}")
    db.execute("delete from _load.loaded where system = ? and stream = ?", [system, stream])
    db.execute(
        "insert into _load.loaded (system, stream, batch_id, loaded_at, landing_began, batch_began) "
        "values (?, ?, ?, now()::timestamp, ?, ?)",
        [system, stream, newest, began, last_began],
    )
    return copied


def _types(db: duckdb.DuckDBPyConnection, system: str, stream: str) -> dict[str, str]:
    rows = db.execute(
        "select column_name, data_type from duckdb_columns() where database_name = current_database() "
        "and schema_name = ? and table_name = ?",
        [schema_of(system), stream],
    ).fetchall()
    return {name: type_.lower() for name, type_ in rows}


def _was_retyped(db: duckdb.DuckDBPyConnection, system: str, stream: str, columns: Sequence[Column]) -> bool:
    """Whether landing has set a former version of a column aside that here still has its name: what landed under it
    must be copied again."""
    have = _types(db, system, stream)
    return bool(have) and any(UNTIL in column.name and column.name not in have for column in columns)


def _add_columns(db: duckdb.DuckDBPyConnection, system: str, stream: str, columns: Sequence[Column]) -> None:
    have = _types(db, system, stream)
    for column in columns:
        for relation in (log_of(system, stream), state_of(system, stream)):
            if column.name not in have:
                db.execute(f"alter table {relation} add column {quoted(column.name)} {column.type}")
            elif have[column.name] != column.type.lower():
                db.execute(f"alter table {relation} alter column {quoted(column.name)} type {column.type}")


def _is_database(system: _System) -> bool:
    return getattr(getattr(system, "read", None), "kind", "") == "postgres"


def _is_unknown(db: duckdb.DuckDBPyConnection, system: _System) -> bool:
    """Whether nothing in the warehouse tells even the columns of a system."""
    known = "select 1 from _load.loaded where system = ?"
    return _is_database(system) and db.execute(known, [system.system]).fetchone() is None


def _create_missing(db: duckdb.DuckDBPyConnection, system: _System, result: LoadResult) -> None:
    """A declared document stream that never landed exists as an empty table, so that what selects from it builds."""
    if _is_database(system):
        return
    db.execute(f"create schema if not exists {quoted(schema_of(system.system))}")
    for stream in system.streams:
        create_stream(db, system.system, stream.name, DOCUMENT)
        result.rows.setdefault(f"{system.system}.{stream.name}", 0)
