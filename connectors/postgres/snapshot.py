"""The first copy: every stream as of the slot's consistent point, landed in one commit, so that it is there whole or
not at all.

A table goes from the server's rows into its log in one statement, and from the log into its state in another. Where
that cannot be exact for some row, what it wrote is taken back and the table is read again, row by row.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import duckdb
import psycopg
import pyarrow as pa

from connectors.landing import Landing
from connectors.landing.casts import cast
from connectors.landing.changes import append
from connectors.landing.commit import Commit
from connectors.landing.state import SNAPSHOT, replace_by_snapshot
from connectors.landing.superseded import close_before
from connectors.landing.tables import evolve, log_of, state_of
from connectors.model import Column, PermanentError, literal, quoted
from connectors.postgres import slot as slots
from connectors.postgres.ahead import ahead
from connectors.postgres.catalogue import look
from connectors.postgres.following import record
from connectors.postgres.link import ReplicationLink, lsn_text, raw_text, sql
from connectors.postgres.relation import StreamSpec
from connectors.postgres.shape import Followed, StreamStopped
from connectors.postgres.table import NATIVE, Watch, as_changes, in_snapshot, read, text_outputs
from connectors.postgres.unique import check_unique
from connectors.postgres.wide import Wide, oversize_rows, size_sql, wide_columns
from connectors.size import LIMIT_BYTES

Progress = Callable[[str, int], None]
AHEAD = 16
"""Batches of BATCH_BYTES that wait at most: about what a server sends while DuckDB writes a state."""


def take(
    landing: Landing,
    dsn: str,
    slot: str,
    publication: str,
    streams: Sequence[StreamSpec],
    on_progress: Progress | None = None,
    without: Collection[str] = (),
) -> tuple[Commit, dict[str, StreamStopped]]:
    """Make the slot, copy every stream in its exported snapshot, and commit rows, state and cursor together; a stream
    that cannot be followed is left out and returned with the reason. Nothing of `without` is copied.

    A slot left by an attempt that was killed is dropped first: nothing of it was committed. Unlike later batches,
    which are extracted before the file is opened, this one holds the landing file while it reads; there is nothing to
    load from it before. Raises StreamStopped where a key proves to be none, PermanentError where no stream is left.
    """
    with sql(dsn) as connection:
        first = look(connection, publication, streams).followed
        if not set(first) - set(without):
            reasons = look(connection, publication, streams).stopped.values()
            raise PermanentError("No stream can be followed. " + " ".join(str(one) for one in reasons))
        slots.drop(connection, slot)
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
        seen = _seen(dsn, exported, publication, streams)
        with landing.commit("*", cursor, seen.now, new_generation=True) as commit:
            chosen = [f for f in seen.followed if f.name not in without]
            _copy(commit, seen, chosen, exported, point, on_progress)
    return commit, seen.stopped


def take_beside(
    landing: Landing,
    dsn: str,
    publication: str,
    streams: Sequence[StreamSpec],
    on_progress: Progress | None = None,
    source_time: Callable[[datetime | None], datetime | None] = lambda now: now,
) -> tuple[Commit | None, dict[str, StreamStopped]]:
    """Copy these streams as of now beside the others, which go on: the log is kept, what it had before is emptied by a
    truncate, and changes before this position count no more. Returns the commit (None where no stream is left), and
    the streams that cannot be followed.

    `source_time` says, from the source's time at the snapshot, up to when the system is complete with it. A slot of
    its own, which ends with the connection, tells the position. Raises StreamStopped where a key proves to be none.
    """
    cursor = landing.cursor("*")
    assert cursor is not None
    with ReplicationLink(dsn) as link:
        point, exported = slots.create_temporary(link)
        seen = _seen(dsn, exported, publication, streams)
        if not seen.followed:
            return None, seen.stopped
        with landing.commit("*", cursor, source_time(seen.now)) as commit:
            _copy(commit, seen, seen.followed, exported, point, on_progress)
    return commit, seen.stopped


@dataclass(frozen=True)
class _Seen:
    """What the exported snapshot shows of the streams: their shapes and text forms are those of its rows."""

    dsn: str
    now: datetime
    followed: Sequence[Followed]
    stopped: dict[str, StreamStopped]
    outputs: Mapping[str, Mapping[str, str]]
    wide: Mapping[str, tuple[Wide, ...]]


@contextmanager
def seeing(dsn: str, exported: str) -> Iterator[psycopg.Connection]:
    """An SQL connection whose one transaction sees the exported snapshot, which must be imported while the link that
    exported it is idle.
    """
    with sql(dsn) as connection, connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        connection.execute("set transaction snapshot " + literal(exported))  # type: ignore[call-overload]
        yield connection


def _seen(dsn: str, exported: str, publication: str, streams: Sequence[StreamSpec]) -> _Seen:
    with seeing(dsn, exported) as connection:
        now = connection.execute("select clock_timestamp() at time zone 'UTC'").fetchone()
        assert now is not None
        raw_dsn = raw_text(dsn, connection)
        looked = look(connection, publication, streams)
        followed = [looked.followed[s.name] for s in streams if s.name in looked.followed]
        outputs = {f.name: text_outputs(connection, f.table) for f in followed}
        wide = {f.name: wide_columns(connection, f.table, f.columns) for f in followed}
    return _Seen(raw_dsn, now[0], followed, dict(looked.stopped), outputs, wide)


def _copy(
    commit: Commit,
    seen: _Seen,
    followed: Sequence[Followed],
    exported: str,
    point: int,
    on_progress: Progress | None,
) -> None:
    tables = [
        _Table(f, tuple(seen.outputs[f.name].items()), seen.dsn, exported, point - 1, seen.now, seen.wide[f.name])
        for f in followed
    ]
    with closing(_Reading(tables)) as reading:
        for table in tables:
            _write(commit, table, reading, on_progress or (lambda _stream, _rows: None))
            record(commit.db, table.stream, table.followed.shape, point)


@dataclass(frozen=True)
class _Table:
    """A table to copy: what is followed, its columns' text forms, where to read it, and the position and instant of
    its rows."""

    followed: Followed
    outputs: tuple[tuple[str, str], ...]
    dsn: str
    exported: str
    position: int
    source_time: datetime
    wide: tuple[Wide, ...]
    """Columns whose values together may be over the limit."""

    @property
    def where(self) -> str:
        return f"{size_sql(self.wide)} <= {LIMIT_BYTES}" if self.wide else ""

    @property
    def stream(self) -> str:
        return self.followed.name

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.followed.columns

    def __hash__(self) -> int:
        return hash((self.stream, self.position))


class _Reading:
    """Every table in turn, read ahead: the server sends the next one while DuckDB writes the state of the last."""

    def __init__(self, tables: Sequence[_Table]) -> None:
        self._left_out: set[_Table] = set()
        self._items = ahead(self._read(tables), AHEAD, lambda batch: batch.nbytes if batch is not None else 0)

    def _read(self, tables: Sequence[_Table]) -> Iterator[pa.RecordBatch | None]:
        left = deque(tables)
        while left:
            with in_snapshot(left[0].dsn, left[0].exported) as connection:
                is_clean = True  # one connection serves all tables, until the rest of one is left unread
                while left and is_clean:
                    table = left.popleft()
                    with closing(read(connection, table.followed, dict(table.outputs), where=table.where)) as batches:
                        for batch in batches:
                            if table in self._left_out:
                                is_clean = False
                                break
                            yield batch
                    yield None

    def batches(self, table: _Table) -> Generator[pa.RecordBatch, None, None]:
        """The batches of `table`, whose turn it must be; closing this early leaves out the rest of it."""
        try:
            for batch in self._items:
                if batch is None:
                    return
                yield batch
        except GeneratorExit:
            self._left_out.add(table)
            while next(self._items) is not None:
                pass

    def close(self) -> None:
        self._items.close()


def _write(commit: Commit, table: _Table, reading: _Reading, on_progress: Progress) -> None:
    version, landed = evolve(commit.db, commit.system, table.stream, table.columns, lsn_text(table.position))
    commit.version = max(commit.version, version)
    log, state = log_of(commit.system, table.stream), state_of(commit.system, table.stream)
    if commit.db.execute(f"select 1 from {log} limit 1").fetchone():  # what it had is gone, in the log as in the state
        commit.db.execute(
            f"insert into {log} (_generation, _commit_pos, _ordinal, _op, _commit_ts, _batch_id) "
            "values (?, ?, -1, 't', ?, ?)",
            [commit.generation, table.position, table.source_time, commit.batch_id],
        )
    mine = f"_batch_id = {commit.batch_id} and _op = {literal(SNAPSHOT)}"
    rows = _copy_plain(commit, table, reading, landed, mine, on_progress)
    if rows is None:
        commit.db.execute(f"delete from {log} where {mine}")
        rows = _copy_carefully(commit, table, landed, on_progress)
    commit.per_stream[table.stream] = rows
    if table.wide:
        with in_snapshot(table.dsn, table.exported) as connection:
            commit.dead.extend(oversize_rows(connection, table.followed, table.wide, table.position))
    replace_by_snapshot(commit.db, log, state, landed, mine)
    if not table.followed.is_unique:
        check_unique(commit, table.followed)
    close_before(commit.db, commit.batch_id, table.stream, table.position)


def _copy_plain(
    commit: Commit, table: _Table, reading: _Reading, landed: Sequence[Column], mine: str, on_progress: Progress
) -> int | None:
    """Copy the whole table in one statement; None when a value in it was refused or lost, so that the rows must go."""
    types = {column.name: column.type for column in landed}
    names = [column.name for column in table.columns]
    kept = {c.name for c in table.columns if c.type == types[c.name] and (c.type in NATIVE or c.type == "varchar")}
    log = log_of(commit.system, table.stream)
    watch = Watch(table.columns, table.dsn, lambda rows: on_progress(table.stream, rows))
    with closing(reading.batches(table)) as batches:
        first = next(batches, None)
        if first is None:
            return 0
        schema = pa.schema(
            [("_ordinal", pa.int64()), *((n, t) for n, t in zip(names, first.schema.types, strict=True))]
        )
        reader = pa.RecordBatchReader.from_batches(schema, watch.passing(chain([first], batches)))
        commit.db.register("_rows", reader)
        try:
            commit.db.execute(
                f"""
                insert into {log} (
                    _generation, _batch_id, _commit_pos, _ordinal, _op, _commit_ts, {", ".join(map(quoted, names))}
                )
                select
                    {commit.generation}, {commit.batch_id}, {table.position}, _ordinal, {literal(SNAPSHOT)}, ?,
                    {", ".join(quoted(n) if n in kept else cast(n, types[n]) for n in names)}
                from _rows
                """,
                [table.source_time],
            )
        except duckdb.Error:
            if watch.error is None:
                raise
        finally:
            commit.db.unregister("_rows")
    if watch.error is not None:
        raise watch.error
    converted = [n for n in names if n not in kept]
    counts = ", ".join(["count(*)", *(f"count({quoted(n)})" for n in converted)])
    found = commit.db.execute(f"select {counts} from {log} where {mine}").fetchone()
    if watch.is_odd or found != (watch.rows, *(watch.values[n] for n in converted)):
        return None
    commit.bytes += watch.bytes
    return watch.rows


def _copy_carefully(commit: Commit, table: _Table, landed: Sequence[Column], on_progress: Progress) -> int:
    """Copy the table batch by batch; a row with a value that is refused or lost becomes a dead letter."""
    rows, seen = 0, 0
    with (
        in_snapshot(table.dsn, table.exported) as connection,
        closing(
            ahead(
                read(connection, table.followed, dict(table.outputs), careful=True, where=table.where),
                weigh=lambda batch: batch.nbytes,
            )
        ) as batches,
    ):
        for batch in batches:
            changes = as_changes(table.stream, table.columns, batch, table.position, seen, table.source_time)
            commit.dead.extend(changes.dead)
            rows += append(commit, changes, landed)
            commit.bytes += batch.nbytes
            seen += len(batch)
            on_progress(table.stream, seen)
    return rows
