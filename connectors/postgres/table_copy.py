"""One table of an exported snapshot into its stream: from the server's rows into its log in one statement, and from the
log into its state in another. Where that cannot be exact for some row, what it wrote is taken back and the table is
read again, row by row.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import duckdb
import pyarrow as pa

from connectors.landing.casts import cast
from connectors.landing.changes import append
from connectors.landing.commit import Commit
from connectors.landing.state import SNAPSHOT, replace_by_snapshot
from connectors.landing.superseded import close_before
from connectors.landing.tables import evolve, log_of, state_of
from connectors.model import Column, literal, quoted
from connectors.postgres.ahead import ahead
from connectors.postgres.link import lsn_text
from connectors.postgres.shape import Followed
from connectors.postgres.table import NATIVE, Watch, as_changes, in_snapshot, read
from connectors.postgres.unique import check_unique
from connectors.postgres.wide import Wide, oversize_rows, size_sql
from connectors.size import LIMIT_BYTES

Progress = Callable[[str, int], None]
AHEAD = 16
"""Batches of BATCH_BYTES that wait at most: about what a server sends while DuckDB writes a state."""


@dataclass(frozen=True)
class Table:
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


class Reading:
    """Every table in turn, read ahead: the server sends the next one while DuckDB writes the state of the last."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._left_out: set[Table] = set()
        self._items = ahead(self._read(tables), AHEAD, lambda batch: batch.nbytes if batch is not None else 0)

    def _read(self, tables: Sequence[Table]) -> Iterator[pa.RecordBatch | None]:
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

    def batches(self, table: Table) -> Generator[pa.RecordBatch, None, None]:
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


def write_table(commit: Commit, table: Table, reading: Reading, on_progress: Progress) -> None:
    """Land the table, whose turn it must be: what the stream had before is emptied by a truncate in its log. Raises
    StreamStopped where its key proves to be none.
    """
    version, landed = evolve(commit.db, commit.system, table.stream, table.columns, lsn_text(table.position))
    commit.version = max(commit.version, version)
    log, state = log_of(commit.system, table.stream), state_of(commit.system, table.stream)
    is_emptied = commit.db.execute(f"select 1 from {log} limit 1").fetchone() is not None
    if is_emptied:  # what it had is gone, in the log as in the state
        commit.db.execute(
            f"insert into {log} (_generation, _commit_pos, _ordinal, _op, _commit_ts, _batch_id) "
            "values (?, ?, -1, 't', ?, ?)",
            [commit.generation, table.position, table.source_time, commit.batch_id],
        )
    mine = f"_batch_id = {commit.batch_id} and _op = {literal(SNAPSHOT)}"
    rows = _plainly(commit, table, reading, landed, mine, on_progress)
    if rows is None:
        commit.db.execute(f"delete from {log} where {mine}")
        rows = _carefully(commit, table, landed, on_progress)
    commit.per_stream[table.stream] = rows + is_emptied
    if table.wide:
        with in_snapshot(table.dsn, table.exported) as connection:
            commit.dead.extend(oversize_rows(connection, table.followed, table.wide, table.position))
    replace_by_snapshot(commit.db, log, state, landed, mine)
    if not table.followed.is_unique:
        check_unique(commit, table.followed)
    close_before(commit.db, commit.batch_id, table.stream, table.position)


def _plainly(
    commit: Commit, table: Table, reading: Reading, landed: Sequence[Column], mine: str, on_progress: Progress
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


def _carefully(commit: Commit, table: Table, landed: Sequence[Column], on_progress: Progress) -> int:
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
