"""The first copy: every stream as of the slot's consistent point, landed in one commit, so that it is there whole or
not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import numpy as np
import psycopg
import pyarrow as pa

from connectors.landing import Changes, Landing
from connectors.landing.changes import append
from connectors.landing.commit import Commit
from connectors.landing.state import SNAPSHOT, replace_by_snapshot
from connectors.landing.tables import evolve, log_of, state_of
from connectors.model import Column, literal, quoted
from connectors.postgres import slot as slots
from connectors.postgres.ahead import ahead
from connectors.postgres.link import ReplicationLink, arrow, lsn_text, raw_text, sql
from connectors.postgres.refused import dead_row, instant_reason, no_instant, not_utf8
from connectors.postgres.relation import Keyed, StreamSpec
from connectors.postgres.types import INSTANTS, duckdb_type

BATCH_BYTES = 8 << 20
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
PLAIN = "(isfinite({0}) and {0} >= '0001-01-01' and {0} < '10000-01-01')"
"""Instants outside it would overflow in the driver without an error, so a table that has one sends its instants as
text.
"""

Progress = Callable[[str, int], None]


def take(
    landing: Landing,
    dsn: str,
    slot: str,
    publication: str,
    streams: Sequence[StreamSpec],
    on_progress: Progress | None = None,
) -> Commit:
    """Make the slot, copy every stream in its exported snapshot, and commit rows, state and cursor together.

    A slot left by an attempt that was killed is dropped first: nothing of it was committed. Unlike later batches,
    which are extracted before the file is opened, this one holds the landing file while it reads; there is nothing to
    load from it before.
    """
    with sql(dsn) as connection:
        published = slots.check_publication(connection, publication, streams)
        keyed, raw_dsn = slots.keyed(connection, streams), raw_text(dsn, connection)
        slots.drop(connection, slot)
        now = connection.execute("select clock_timestamp() at time zone 'UTC'").fetchone()
        described = {s.name: describe(connection, s, published[s.table]) for s in keyed}
    phase = landing.on_phase or (lambda _name: None)
    with ReplicationLink(dsn) as link:
        identity = slots.identify(link)
        point, exported = slots.create(link, slot)
        phase("snapshot")
        cursor = {
            "lsn": lsn_text(point),
            "system_identifier": identity.system_identifier,
            "timeline": identity.timeline,
            "slot": slot,
            "publication": publication,
        }
        source_time = now[0] if now else None
        with landing.commit("*", cursor, source_time, new_generation=True) as commit:
            for stream in keyed:
                rows = ahead(read(raw_dsn, exported, stream.table, described[stream.name]))
                _write(commit, stream.name, described[stream.name], rows, point - 1, source_time, on_progress)
    return commit


def describe(connection: psycopg.Connection, stream: Keyed, published: Sequence[str]) -> tuple[Column, ...]:
    """The published columns of a table, in its order, with their DuckDB types and the stream's key."""
    schema, table = stream.table.split(".", 1)
    rows = connection.execute(
        "select attname, atttypid::int8, atttypmod from pg_attribute where attrelid = %s::regclass and attnum > 0 "
        "and not attisdropped and attgenerated = '' order by attnum",
        [quoted(schema, table)],
    ).fetchall()
    return tuple(
        Column(name, duckdb_type(oid, modifier), name in stream.key)
        for name, oid, modifier in rows
        if name in published
    )


def read(dsn: str, exported: str, table: str, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    """Record batches of a table's columns in the exported snapshot: in their own Arrow type where that is exact, else
    as text.
    """
    relation = quoted(*table.split(".", 1))
    with arrow(dsn, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        cursor.execute(f"set transaction snapshot {literal(exported)}")
        plain = set(NATIVE)
        odd = [f"not {PLAIN.format(quoted(c.name))}" for c in columns if c.type in INSTANTS]
        if odd:
            cursor.execute(f"select exists (select from {relation} where {' or '.join(odd)})")
            plain -= INSTANTS if (cursor.fetchone() or (True,))[0] else set()
        values = ", ".join(f"{quoted(c.name)}::{NATIVE[c.type] if c.type in plain else 'text'}" for c in columns)
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
        cursor.execute(f"select {values} from {relation}")
        yield from cursor.fetch_record_batch()


def _write(
    commit: Commit,
    stream: str,
    columns: tuple[Column, ...],
    batches: Iterator[pa.RecordBatch],
    position: int,
    source_time: datetime | None,
    on_progress: Progress | None,
) -> None:
    version, landed = evolve(commit.db, commit.system, stream, columns, lsn_text(position))
    commit.version = max(commit.version, version)
    log, state = log_of(commit.system, stream), state_of(commit.system, stream)
    if commit.generation > 1:  # what the former generation had is gone, in the log as in the state
        commit.db.execute(
            f"insert into {log} (_generation, _commit_pos, _ordinal, _op, _commit_ts, _batch_id) "
            "values (?, ?, -1, 't', ?, ?)",
            [commit.generation, position, source_time, commit.batch_id],
        )
    rows, seen = 0, 0
    for batch in batches:
        changes = _as_changes(stream, columns, batch, position, seen, source_time)
        commit.dead.extend(changes.dead)
        rows += append(commit, changes, landed)
        commit.bytes += batch.nbytes
        seen += len(batch)
        if on_progress:
            on_progress(stream, seen)
    commit.per_stream[stream] = rows
    replace_by_snapshot(commit.db, log, state, landed, f"_batch_id = {commit.batch_id} and _op = '{SNAPSHOT}'")


def _as_changes(
    stream: str,
    columns: tuple[Column, ...],
    batch: pa.RecordBatch,
    position: int,
    first: int,
    source_time: datetime | None,
) -> Changes:
    """A record batch -> snapshot rows; those that hold an instant DuckDB would misread, or bytes that are not
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
        else:
            try:
                array.validate(full=True)
            except pa.ArrowInvalid:
                bad.update(not_utf8(column, _values(array)))
    return bad


def _values(array: pa.Array, row: int | None = None) -> list[bytes | None]:
    part = array if row is None else array.slice(row, 1)
    return (part if pa.types.is_string(part.type) else part.cast(pa.string())).cast(pa.binary()).to_pylist()
