"""Land typed changes of tables: text columns with their position and operation, cast in DuckDB, appended and applied."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from connectors.landing.casts import cast
from connectors.landing.commit import Commit
from connectors.landing.fill import fill_unchanged
from connectors.landing.state import apply
from connectors.landing.tables import evolve, log_of, state_of
from connectors.model import Column, DeadLetter, quoted

META = ("_commit_pos", "_ordinal", "_op", "_tx", "_commit_ts", "_unchanged")
MOVED = "_old_key"


@dataclass(frozen=True)
class Changes:
    """Changes of one stream under one set of columns, in source order.

    `table` has the META columns (bigint, bigint, text, bigint, timestamp, list of text or null), then one text column per entry of
    `columns`. `_unchanged` names columns whose value the source did not send; where the key changed too, the optional column
    `_old_key` (list of text, in key order) says under which key their values stand.
    """

    stream: str
    columns: tuple[Column, ...]
    table: pa.Table

    @property
    def has_unchanged(self) -> bool:
        return self.table["_unchanged"].null_count < len(self.table)


def write_changes(commit: Commit, batches: Iterable[Changes], position: str | None) -> None:
    """Append every batch to its stream's log, then bring each touched state up to date, inside `commit`.

    A row with a value that its column cannot hold is left out and becomes a dead letter; the others land. `position` is where a new
    schema version takes effect.
    """
    touched: dict[str, tuple[Column, ...]] = {}
    for batch in batches:
        version, columns = evolve(commit.db, commit.system, batch.stream, batch.columns, position)
        commit.version = max(commit.version, version)
        touched[batch.stream] = columns
        landed = append(commit, batch, columns)
        commit.per_stream[batch.stream] = commit.per_stream.get(batch.stream, 0) + landed
        commit.bytes += batch.table.nbytes
    for stream, columns in touched.items():
        log, state = log_of(commit.system, stream), state_of(commit.system, stream)
        apply(commit.db, log, state, columns, f"_batch_id = {commit.batch_id}")


def append(commit: Commit, batch: Changes, landed: Sequence[Column]) -> int:
    """Cast and append one batch to its log; returns the rows that landed. Values lost in a cast are found by counting."""
    db, log = commit.db, log_of(commit.system, batch.stream)
    types = {column.name: column.type for column in landed}
    names = [column.name for column in batch.columns]
    db.register("_changes", batch.table)
    try:
        source = "_changes"
        if batch.has_unchanged:
            source = fill_unchanged(commit, batch, types)
        values = ", ".join(quoted(n) if source != "_changes" else cast(n, types[n]) for n in names)
        before = _count(db, log, names, commit.batch_id)
        db.execute(
            f"insert into {log} (_generation, _commit_pos, _ordinal, _op, _tx, _commit_ts, _batch_id, _unchanged, "
            f"{', '.join(quoted(n) for n in names)}) "
            f"select {commit.generation}, _commit_pos, _ordinal, _op, _tx, _commit_ts, {commit.batch_id}, _unchanged, {values} "
            f"from {source}"
        )
        after = _count(db, log, names, commit.batch_id)
        lost = 0
        if source == "_changes":
            sent = [len(batch.table) - batch.table[n].null_count for n in names]
            if [a - b for a, b in zip(after[1:], before[1:], strict=True)] != sent:
                lost = _take_out(commit, batch, types)
        return after[0] - before[0] - lost
    finally:
        db.unregister("_changes")
        db.execute("drop table if exists temp._filled")


def _count(db: duckdb.DuckDBPyConnection, log: str, names: Sequence[str], batch_id: int) -> tuple[int, ...]:
    counts = ", ".join(f"count({quoted(n)})" for n in names)
    row = db.execute(f"select count(*), {counts} from {log} where _batch_id = {batch_id}").fetchone()
    return row or (0,) * (len(names) + 1)


def bad_values(names: Iterable[str], types: dict[str, str]) -> str:
    """SQL list of the names of columns in `_changes` whose text their type cannot hold."""
    tests = ", ".join(
        f"case when {quoted(n)} is not null and {cast(n, types[n])} is null then '{n.replace(chr(39), chr(39) * 2)}' end" for n in names
    )
    return f"list_filter([{tests}], lambda x: x is not null)"


def _take_out(commit: Commit, batch: Changes, types: dict[str, str]) -> int:
    """Move the rows with a lost value from the log to the dead letters; returns how many."""
    names = [c.name for c in batch.columns]
    db, log = commit.db, log_of(commit.system, batch.stream)
    db.execute(
        f"create or replace temp table _bad as select *, {bad_values(names, types)} as _names from _changes where len(_names) > 0"
    )
    lost = dead_of_table(db, batch, "_bad")
    commit.dead.extend(lost)
    db.execute(
        f"delete from {log} where _batch_id = {commit.batch_id} and (_commit_pos, _ordinal) in (select (_commit_pos, _ordinal) from _bad)"
    )
    db.execute("drop table _bad")
    return len(lost)


def dead_of_table(db: duckdb.DuckDBPyConnection, batch: Changes, relation: str) -> list[DeadLetter]:
    """One dead letter per row of `relation`, whose `_names` lists the columns at fault; raw is the row as JSON text."""
    keys = ", ".join(quoted(c.name) for c in batch.columns if c.key)
    data = ", ".join(f"{quoted(c.name)} := {quoted(c.name)}" for c in batch.columns)
    rows = db.execute(
        f"select _commit_pos, _ordinal, concat_ws('|', {keys}), array_to_string(_names, ', '), "
        f"to_json(struct_pack(_op := _op, {data}))::varchar from {relation}"
    )
    return [
        DeadLetter(batch.stream, f"{names}: the text does not fit the column's type", raw.encode(), key, str(position), ordinal)
        for position, ordinal, key, names, raw in _all(rows)
    ]


def _all(result: duckdb.DuckDBPyConnection) -> Iterator[tuple]:
    while chunk := result.fetchmany(1000):
        yield from chunk
