"""How the world gets into the ERP: history by COPY, then each step as inserts, updates and deletes in event order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import psycopg
from psycopg import sql

from sandbox.systems.erp.database import ErpDatabase, Table
from sandbox.systems.erp.state import State, write_state

Progress = Callable[[str, int, int], None]
TRANSACTIONS = 4


class RowChange(Protocol):
    """A full row to have (`upsert`) or a key to be gone (`delete`)."""

    op: str
    table: str
    row: dict[str, Any]


def final_rows(database: ErpDatabase, changes: Iterable[RowChange]) -> dict[str, list[dict[str, Any]]]:
    """What the changes come to: the last version of each row that is still there, per table, by key."""
    kept: dict[str, dict[Any, dict[str, Any]]] = {name: {} for name in database.tables}
    for change in changes:
        rows = kept[change.table]
        key = change.row[database.tables[change.table].key]
        if change.op == "delete":
            rows.pop(key, None)
        else:
            rows[key] = change.row
    return {name: [rows[key] for key in sorted(rows)] for name, rows in kept.items()}


def load(
    database: ErpDatabase, changes: Sequence[RowChange], state: State | None = None, progress: Progress | None = None
) -> int:
    """Fill the empty database with what the changes come to, in one transaction with its state; returns rows."""
    tables = final_rows(database, changes)
    total, done = sum(map(len, tables.values())), 0
    with psycopg.connect(database.owner_dsn) as connection:
        for name, rows in tables.items():
            table = database.tables[name]
            with connection.cursor().copy(_copy(table, sql.SQL(""))) as copy:
                for row in rows:
                    copy.write_row([row.get(column) for column in table.columns])
            done += len(rows)
            if progress:
                progress("load", done, total)
        write_state(connection, state)
    _analyze(database)
    return total


def load_csv(
    database: ErpDatabase,
    tables: Mapping[str, Sequence[bytes]],
    state: State | None = None,
    progress: Progress | None = None,
) -> None:
    """Fill the empty database from CSV pieces per table (columns in table order, null written as \\N)."""
    with psycopg.connect(database.owner_dsn) as connection:
        for done, (name, pieces) in enumerate(tables.items(), 1):
            options = sql.SQL(" with (format csv, null '\\N')")
            with connection.cursor().copy(_copy(database.tables[name], options)) as copy:
                for piece in pieces:
                    copy.write(piece)
            if progress:
                progress("load", done, len(tables))
        write_state(connection, state)
    _analyze(database)


def apply(
    database: ErpDatabase,
    changes: Sequence[RowChange],
    state: State | None = None,
    transactions: int = TRANSACTIONS,
) -> None:
    """Apply a step's changes one by one in their order, in a few transactions; the state is written with the last.

    Columns that people wrote through the API keep what they wrote, and the row version never goes back.
    """
    size = max(1, -(-len(changes) // transactions))
    with psycopg.connect(database.owner_dsn) as connection:
        for start in range(0, len(changes), size):
            with connection.transaction(), connection.pipeline():
                written = _written(connection)
                for change in changes[start : start + size]:
                    table = database.tables[change.table]
                    if change.op == "delete":
                        connection.execute(
                            sql.SQL("delete from {} where {} = %s").format(table.identifier, sql.Identifier(table.key)),
                            [change.row[table.key]],
                        )
                        continue
                    kept = written.get((change.table, change.row[table.key]), frozenset())
                    values = [change.row.get(column) for column in table.columns]
                    connection.execute(_upsert(table, kept), values)
        write_state(connection, state)


def _copy(table: Table, options: sql.SQL) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    return sql.SQL("copy {} ({}) from stdin").format(table.identifier, columns) + options


_upserts: dict[tuple[str, frozenset[str]], str] = {}


def _upsert(table: Table, kept: frozenset[str]) -> str:
    """The insert-or-update of one row, without the columns people wrote; built once."""
    if (table.name, kept) not in _upserts:
        assignments = []
        for column in table.columns[1:]:
            name = sql.Identifier(column)
            if column == "row_version":
                newest = sql.SQL("{0} = greatest(known.{0} + 1, excluded.{0})").format(name)
                assignments.append(newest)
            elif column not in kept:
                assignments.append(sql.SQL("{0} = excluded.{0}").format(name))
        statement = sql.SQL("insert into {} as known ({}) values ({}) on conflict ({}) do update set {}").format(
            table.identifier,
            sql.SQL(", ").join(map(sql.Identifier, table.columns)),
            sql.SQL(", ").join([sql.Placeholder()] * len(table.columns)),
            sql.Identifier(table.key),
            sql.SQL(", ").join(assignments),
        )
        _upserts[table.name, kept] = statement.as_string(None)
    return _upserts[table.name, kept]


def _written(connection: psycopg.Connection) -> dict[tuple[str, int], frozenset[str]]:
    found: dict[tuple[str, int], set[str]] = {}
    for table, key, column in connection.execute("select table_name, row_key, column_name from erp_api.written"):
        found.setdefault((table, key), set()).add(column)
    return {row: frozenset(columns) for row, columns in found.items()}


def _analyze(database: ErpDatabase) -> None:
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        connection.execute("analyze")
