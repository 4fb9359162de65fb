"""Rows of a table that are over the limit: left where they are by a snapshot, and told as dead letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import adbc_driver_postgresql.dbapi as adbc
import psycopg

from connectors.model import Column, DeadLetter, quoted
from connectors.postgres.shape import Followed
from connectors.postgres.table import published_rows
from connectors.size import HEAD_BYTES, LIMIT_BYTES, cut, reason_of

HASHED_BYTES = 1 << 20


@dataclass(frozen=True)
class Wide:
    """A column that may be wide: SQL for the bytes it sends (0 for null), and for the bytes it holds."""

    size: str
    data: str


def wide_columns(connection: psycopg.Connection, table: str, columns: Sequence[Column]) -> tuple[Wide, ...]:
    """The columns that may be wide; none for a table that keeps nothing out of line, since every value over the limit
    is kept so.
    """
    rows = connection.execute(
        """
        select attname, format_type(case when typtype = 'd' then typbasetype else atttypid end, null)
        from pg_class join pg_attribute on attrelid = pg_class.oid join pg_type on pg_type.oid = atttypid
        where pg_class.oid = %s::regclass and reltoastrelid <> 0 and pg_relation_size(reltoastrelid) > 0
        and attnum > 0 and not attisdropped and attstorage in ('x', 'e', 'm') and typname <> 'numeric'
        order by attnum
        """,
        [quoted(*table.split(".", 1))],
    ).fetchall()
    read = {column.name for column in columns}
    return tuple(_wide(quoted(name), type_) for name, type_ in rows if name in read)


def _wide(column: str, type_: str) -> Wide:
    """Of text and bytea Postgres tells the size without reading the value."""
    if type_ == "bytea":
        return Wide(f"coalesce(2 * octet_length({column})::bigint, 0)", column)  # it travels as hexadecimal digits
    data = f"convert_to({column}::text, 'UTF8')"
    if type_ in ("text", "character varying"):
        return Wide(f"coalesce(octet_length({column})::bigint, 0)", data)
    # what is short as it is stored is not unpacked to be measured: it compresses by a factor of some hundreds at most
    measured = f"case when pg_column_size({column}) > {LIMIT_BYTES // 256} then octet_length({column}::text) end"
    return Wide(f"coalesce(({measured})::bigint, 0)", data)


def size_sql(wide: Sequence[Wide]) -> str:
    return f"({' + '.join(one.size for one in wide)})"


def oversize_rows(
    connection: adbc.Connection, followed: Followed, wide: Sequence[Wide], position: int
) -> Iterator[DeadLetter]:
    """A dead letter per row over the limit: its key, its size, and of its wide values the hashes (joined with `|`) and
    the first one's head. The server makes them, one row at a time.
    """
    keys = [quoted(name) for name in followed.shape.key]
    key = f"concat_ws('|', {', '.join(f'{k}::text' for k in keys)})" if keys else "''"
    hashes = [f"case when {one.size} > {HASHED_BYTES} then encode(sha256({one.data}), 'hex') end" for one in wide]
    heads = [f"case when {one.size} > {HASHED_BYTES} then substr({one.data}, 1, {HEAD_BYTES}) end" for one in wide]
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {key}, {size_sql(wide)}::bigint, concat_ws('|', {', '.join(hashes)}), "
            f"coalesce({', '.join(heads)}) "
            f"from {published_rows(followed, f'{size_sql(wide)} > {LIMIT_BYTES}')} order by 1"
        )
        for batch in cursor.fetch_record_batch():
            for name, size, sha256, head in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield DeadLetter(followed.name, reason_of(size), cut(size, sha256, head or b""), name, str(position))
