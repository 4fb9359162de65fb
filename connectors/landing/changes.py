"""Land typed changes of tables: text with its position and operation, cast in DuckDB, appended and applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from connectors.landing.casts import cast
from connectors.landing.commit import Commit
from connectors.landing.fill import Fill, fill_unchanged
from connectors.landing.lend import lent
from connectors.landing.state import apply
from connectors.landing.tables import evolve, log_of, state_of
from connectors.model import Column, DeadLetter, literal, quoted

META = ("_commit_pos", "_ordinal", "_op", "_tx", "_commit_ts", "_unchanged")
MOVED = "_old_key"


@dataclass(frozen=True)
class Changes:
    """Changes of one stream under one set of columns, in source order.

    `table` has the META columns (bigint, bigint, text, bigint, timestamp, list of text or null), then one text column
    per entry of `columns`. `_unchanged` names columns whose value the source did not send; where the key changed too,
    the optional column `_old_key` (list of text, in key order) says under which key their values stand.
    """

    stream: str
    columns: tuple[Column, ...]
    table: pa.Table
    dead: tuple[DeadLetter, ...] = ()

    @property
    def has_unchanged(self) -> bool:
        return self.table["_unchanged"].null_count < len(self.table)


def write_changes(commit: Commit, batches: Iterable[Changes], position: str | None) -> None:
    """Append every batch to its stream's log, then bring each touched state up to date, inside `commit`.

    A row with a value that its column cannot hold is left out and becomes a dead letter; the others land. `position`
    is where a new schema version takes effect.
    """
    for batch in batches:
        version, columns = evolve(commit.db, commit.system, batch.stream, batch.columns, position)
        commit.version = max(commit.version, version)
        commit.touched[batch.stream] = columns
        commit.dead.extend(batch.dead)
        landed = append(commit, batch, columns)
        commit.per_stream[batch.stream] = commit.per_stream.get(batch.stream, 0) + landed
        commit.bytes += batch.table.nbytes
    for stream, touched in commit.touched.items():
        log, state = log_of(commit.system, stream), state_of(commit.system, stream)
        apply(commit.db, log, state, touched, f"_batch_id = {commit.batch_id}")


def append(commit: Commit, batch: Changes, landed: Sequence[Column]) -> int:
    """Cast and append one batch to its log; returns the rows that landed. A value lost in a cast is found by
    counting.
    """
    if not len(batch.table):
        return 0
    db, log = commit.db, log_of(commit.system, batch.stream)
    types = {column.name: column.type for column in landed}
    names = [column.name for column in batch.columns]
    with lent(db, "_changes", batch.table):
        try:
            if batch.has_unchanged:
                return _append_filled(commit, batch, types)
            _insert(commit, log, names, ", ".join(cast(n, types[n]) for n in names), "_changes")
            converted = [n for n in names if types[n].lower() != "varchar"]
            landed_values = _count(db, log, converted, _of_batch(commit, batch))[1:]
            sent = tuple(len(batch.table) - batch.table[n].null_count for n in converted)
            if landed_values == sent:
                return len(batch.table)
            _find_bad(db, names, types)
            bad = "select (_commit_pos, _ordinal) from _bad"
            db.execute(f"delete from {log} where _batch_id = {commit.batch_id} and (_commit_pos, _ordinal) in ({bad})")
            return len(batch.table) - _bury(commit, batch)
        finally:
            db.execute("drop table if exists temp._filled; drop table if exists temp._bad")


def _append_filled(commit: Commit, batch: Changes, types: dict[str, str]) -> int:
    """The way of a batch with unsent values: bad rows leave first, so that they are never a source of values."""
    db, names = commit.db, [column.name for column in batch.columns]
    log, state = log_of(commit.system, batch.stream), state_of(commit.system, batch.stream)
    _find_bad(db, names, types)
    lost = _bury(commit, batch)
    fill = Fill(db, log, state, commit.batch_id, batch.columns, types)
    fill_unchanged(fill, MOVED in batch.table.column_names)
    _insert(commit, log, names, ", ".join(quoted(n) for n in names), "_filled order by _at")
    return len(batch.table) - lost


def _insert(commit: Commit, log: str, names: Sequence[str], values: str, source: str) -> None:
    commit.db.execute(
        f"""
        insert into {log}
            (_generation, _batch_id, {", ".join(META)}, {", ".join(quoted(n) for n in names)})
        select {commit.generation}, {commit.batch_id}, {", ".join(META)}, {values}
        from {source}
        """
    )


def _of_batch(commit: Commit, batch: Changes) -> str:
    """The condition for the rows of one batch in its log: those of this commit from the batch's first position on."""
    position, ordinal = batch.table["_commit_pos"][0].as_py(), batch.table["_ordinal"][0].as_py()
    later = f"_commit_pos > {position} or _ordinal >= {ordinal}"
    return f"_batch_id = {commit.batch_id} and _commit_pos >= {position} and ({later})"


def _count(db: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str], where: str) -> tuple[int, ...]:
    """Rows that match, then values of each named column among them."""
    counts = ", ".join(["count(*)", *(f"count({quoted(n)})" for n in names)])
    return db.execute(f"select {counts} from {relation} where {where}").fetchone() or (0,) * (len(names) + 1)


def _find_bad(db: duckdb.DuckDBPyConnection, names: Iterable[str], types: dict[str, str]) -> None:
    """Make temp table `_bad`: the rows of `_changes` with a text that its type cannot hold, with those columns in
    `_names`.
    """
    tests = ", ".join(
        f"case when {quoted(n)} is not null and {cast(n, types[n])} is null then {literal(n)} end" for n in names
    )
    db.execute(
        f"""
        create or replace temp table _bad as
        select * from (select *, list_filter([{tests}], lambda x: x is not null) as _names from _changes)
        where len(_names) > 0
        """
    )


def _bury(commit: Commit, batch: Changes) -> int:
    """Add one dead letter per row of `_bad`; raw is the row as JSON text. Returns how many."""
    keys = ", ".join(quoted(c.name) for c in batch.columns if c.key)
    data = ", ".join(f"{quoted(c.name)} := {quoted(c.name)}" for c in batch.columns)
    rows = commit.db.execute(
        f"select _commit_pos, _ordinal, concat_ws('|', {keys}), array_to_string(_names, ', '), "
        f"to_json(struct_pack(_op := _op, {data}))::varchar from _bad"
    )
    before = len(commit.dead)
    for position, ordinal, key, names, raw in _all(rows):
        reason = f"{names}: the text does not fit the column's type"
        commit.dead.append(DeadLetter(batch.stream, reason, raw.encode(), key, str(position), ordinal))
    return len(commit.dead) - before


def _all(result: duckdb.DuckDBPyConnection) -> Iterator[tuple]:
    while chunk := result.fetchmany(1000):
        yield from chunk
