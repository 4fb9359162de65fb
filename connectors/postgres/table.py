"""One table of an exported snapshot as record batches, in one of two ways.

Plain: every value in the Arrow type that is exact for it, nothing looked at one by one; `Watch` says afterwards
whether anything was in it that must not land so. Careful: instants as text, and each row that holds something refused
becomes a dead letter.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import adbc_driver_postgresql.dbapi as adbc
import numpy as np
import psycopg
import pyarrow as pa

from connectors.landing import Changes
from connectors.landing.state import SNAPSHOT
from connectors.model import Column, literal, quoted
from connectors.postgres.link import arrow, is_raw
from connectors.postgres.refused import dead_row, instant_reason, no_instant, not_utf8
from connectors.postgres.shape import Followed
from connectors.postgres.types import INSTANTS

BATCH_BYTES = 2 << 20
NATIVE = {
    "boolean": "bool",
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "float": "float4",
    "double": "float8",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp with time zone": "timestamptz",
}
"""DuckDB types that Arrow carries exactly, and the Postgres type to ask for. Decimals travel as text, which is exact
too.
"""
DAY_US = 86_400_000_000
FIRST_DAY, END_DAY = -719_162, 2_932_897  # 0001-01-01 and 10000-01-01 in days since 1970-01-01


def text_outputs(connection: psycopg.Connection, table: str) -> dict[str, str]:
    """Column -> the output function of its type, where a cast to text would say something else.

    The stream sends what the output function writes. Of most types the cast writes the same; those with a cast function
    of their own differ (pg_cast): `char(n)` loses its padding, `inet` gains its netmask. One text form must hold, or a
    key of the snapshot is not found again by the stream.
    """
    rows = connection.execute(
        """
        with recursive based (attname, oid) as (
            select attname, atttypid from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped
            union all
            select attname, typbasetype from based join pg_type using (oid) where typtype = 'd'
        )
        select attname, nspname, proname
        from based join pg_type using (oid) join pg_proc on pg_proc.oid = typoutput
        join pg_namespace on pg_namespace.oid = pronamespace
        where exists (
            select from pg_cast
            where castsource = pg_type.oid and casttarget = 'text'::regtype and castmethod = 'f'
        )
        """,
        [quoted(*table.split(".", 1))],
    ).fetchall()
    return {column: quoted(schema, function) for column, schema, function in rows}


@contextmanager
def in_snapshot(dsn: str, exported: str) -> Iterator[adbc.Connection]:
    """A connection whose one transaction sees the exported snapshot."""
    with arrow(dsn, autocommit=False) as connection:
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read")
            cursor.execute(f"set transaction snapshot {literal(exported)}")
        yield connection


def read(
    connection: adbc.Connection,
    followed: Followed,
    outputs: Mapping[str, str],
    *,
    careful: bool = False,
    where: str = "",
) -> Generator[pa.RecordBatch, None, None]:
    """Record batches of a table's published rows and columns; `outputs` are those of `text_outputs`, `where` is a
    condition that leaves rows out.

    Closed early, the rest of the table is still on its way: the driver would read it before the next query, so close
    the connection too.
    """
    with connection.cursor() as cursor:
        plain = NATIVE.keys() - (INSTANTS if careful else set())
        values = ", ".join(
            f"{quoted(c.name)}::{NATIVE[c.type]}" if c.type in plain else as_text(c.name, outputs)
            for c in followed.columns
        )
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
        cursor.execute(f"select {values} from {published_rows(followed, where)}")
        yield from cursor.fetch_record_batch()


def published_rows(followed: Followed, where: str = "") -> str:
    """SQL for the rows that the publication sends of a table: none of its descendants, which come under their own
    names, and those that its row filter lets through (an expression that the server itself wrote down). `where` leaves
    out more.
    """
    only = "only " if followed.parents_only else ""
    conditions = " and ".join(f"({one})" for one in (followed.row_filter, where) if one)
    return f"{only}{quoted(*followed.table.split('.', 1))}{f' where {conditions}' if conditions else ''}"


def as_text(column: str, outputs: Mapping[str, str]) -> str:
    """SQL for a column as the text that the stream sends."""
    function = outputs.get(column)
    return f"textin({function}({quoted(column)}))" if function else f"{quoted(column)}::text"


@dataclass
class Watch:
    """What went by in a plain read: rows, bytes, values per column, whether anything must be read again carefully, and
    the error that ended it.
    """

    columns: Sequence[Column]
    dsn: str
    on_rows: Callable[[int], None]
    rows: int = 0
    bytes: int = 0
    values: dict[str, int] = field(default_factory=dict)
    is_odd: bool = False
    error: BaseException | None = None

    def passing(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches with `_ordinal` in front. Ends early when something is odd, or at an error, which it keeps:
        DuckDB, which pulls them, would make another one of it.
        """
        try:
            for batch in batches:
                self.is_odd |= any(self._is_odd(c, a) for c, a in zip(self.columns, batch.columns, strict=True))
                if self.is_odd:
                    return
                for column, array in zip(self.columns, batch.columns, strict=True):
                    self.values[column.name] = self.values.get(column.name, 0) + len(batch) - array.null_count
                ordinal = pa.arange(self.rows, self.rows + len(batch))
                self.rows += len(batch)
                self.bytes += batch.nbytes
                yield pa.record_batch([ordinal, *batch.columns], names=["_ordinal", *(c.name for c in self.columns)])
                self.on_rows(self.rows)
        except GeneratorExit:
            raise
        except BaseException as error:
            self.error = error

    def _is_odd(self, column: Column, array: pa.Array) -> bool:
        """Whether a batch of a column has an instant that Arrow or DuckDB does not hold (the driver wraps those around,
        out of this range), or text that is not UTF-8, which only a connection without an encoding can bring.
        """
        if column.type not in INSTANTS:
            return is_raw(self.dsn) and pa.types.is_string(array.type) and not _is_utf8(array)
        if array.null_count == len(array):
            return False
        whole = array.drop_null() if array.null_count else array
        days = column.type == "date"
        numbers = np.asarray(whole.view(pa.int32() if days else pa.int64()))
        unit = 1 if days else DAY_US
        return bool(numbers.min() < FIRST_DAY * unit or numbers.max() >= END_DAY * unit)


def _is_utf8(array: pa.Array) -> bool:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def as_changes(
    stream: str,
    columns: tuple[Column, ...],
    batch: pa.RecordBatch,
    position: int,
    first: int,
    source_time: datetime | None,
) -> Changes:
    """A carefully read batch -> snapshot rows; those that hold an instant DuckDB would misread, or bytes that are not
    UTF-8, are dead.
    """
    n = len(batch)
    table = pa.table(
        [
            pa.repeat(pa.scalar(position, pa.int64()), n),
            pa.array(np.arange(first, first + n)),
            pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8)), pa.array([SNAPSHOT])),
            pa.nulls(n, pa.int64()),
            pa.repeat(pa.scalar(source_time, pa.timestamp("us")), n),
            pa.nulls(n, pa.list_(pa.string())),
            *batch.columns,
        ],
        names=["_commit_pos", "_ordinal", "_op", "_tx", "_commit_ts", "_unchanged", *(c.name for c in columns)],
    )
    bad = _bad(columns, batch)
    if not bad:
        return Changes(stream, columns, table)
    keep = np.ones(n, dtype=bool)
    keep[list(bad)] = False
    dead = tuple(
        dead_row(stream, columns, [_values(a, row)[0] for a in batch.columns], reason, SNAPSHOT, position, first + row)
        for row, reason in sorted(bad.items())
    )
    return Changes(stream, columns, table.filter(pa.array(keep)), dead)


def _bad(columns: Sequence[Column], batch: pa.RecordBatch) -> dict[int, str]:
    """Row -> reason, for values that must not reach DuckDB."""
    bad: dict[int, str] = {}
    for column, array in zip(columns, batch.columns, strict=True):
        if not pa.types.is_string(array.type):
            continue
        if column.type in INSTANTS and array.buffers()[2] is not None and array.buffers()[2].size:
            ends = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
            last = np.frombuffer(array.buffers()[2], np.uint8)[np.maximum(ends[1:] - 1, 0)]
            for i in no_instant(last, ends[1:] - ends[:-1]):
                bad[i] = instant_reason(column, _values(array, i)[0])
        elif not _is_utf8(array):
            bad.update(not_utf8(column, _values(array)))
    return bad


def _values(array: pa.Array, row: int | None = None) -> list[bytes | None]:
    part = array if row is None else array.slice(row, 1)
    return (part if pa.types.is_string(part.type) else part.cast(pa.string())).cast(pa.binary()).to_pylist()
