"""Copy one system's new batches from its landing file, which is attached, to the warehouse, all in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb

from connectors.landing.state import apply
from connectors.landing.tables import (
    LOG_META,
    UNTIL,
    create_stream,
    landed_columns,
    log_of,
    respell,
    schema_of,
    state_of,
)
from connectors.model import Column, quoted

SOURCE = "_landing"
"""The name that the landing file is attached by."""


def copy_system(db: duckdb.DuckDBPyConnection, system: str) -> tuple[dict[str, int], bool]:
    """Copy every stream's new batches in one transaction: the streams of a batch appear together.

    Returns the log rows copied per `system.stream`, and whether the landing file is another than the one loaded before,
    so that all of it was copied again.
    """
    schemas = "select 1 from duckdb_schemas() where database_name = ? and schema_name = '_land'"
    if not db.execute(schemas, [SOURCE]).fetchone():
        return {}, False  # whoever made the file was killed before it could hold anything
    streams = db.execute(f"select distinct stream from {SOURCE}._land.schema_version order by 1").fetchall()
    newest = (db.execute(f"select coalesce(max(batch_id), 0) from {SOURCE}._land.batch").fetchone() or (0,))[0]
    began, last_began = _began(db, 1), _began(db, newest)
    db.execute("begin")
    try:
        if is_another := _is_another(db, system, began):
            forget_system(db, system)
        db.execute(f"create schema if not exists {quoted(schema_of(system))}")
        rows = {
            f"{system}.{stream}": _copy_stream(db, system, stream, newest, began, last_began) for (stream,) in streams
        }
        db.execute("commit")
    except BaseException:
        db.execute("rollback")
        raise
    return rows, is_another


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
    relations, types = (log_of(system, stream), state_of(system, stream)), _types(db, system, stream)
    have = {new: types[old] for old, new in respell(db, relations, types, columns).items()}
    for column in columns:
        for relation in relations:
            if column.name not in have:
                db.execute(f"alter table {relation} add column {quoted(column.name)} {column.type}")
            elif have[column.name] != column.type.lower():
                db.execute(f"alter table {relation} alter column {quoted(column.name)} type {column.type}")


def forget_system(db: duckdb.DuckDBPyConnection, system: str) -> None:
    """Drop what the warehouse holds of `system`; in the caller's transaction."""
    db.execute(f"drop schema if exists {quoted(schema_of(system))} cascade")
    db.execute("delete from _load.loaded where system = ?", [system])
