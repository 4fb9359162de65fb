"""Land documents: keyed JSON text. A document that equals the current one is not a change, however often it is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from connectors.landing.commit import Commit
from connectors.landing.lend import lent
from connectors.landing.state import apply
from connectors.landing.tables import DOCUMENT, evolve, log_of, state_of
from connectors.size import parts

if TYPE_CHECKING:
    from connectors.landing.file import Landing

SCHEMA = pa.schema([("doc_key", pa.string()), ("doc", pa.string()), ("updated_at_raw", pa.string())])


def as_table(rows: Sequence[Sequence[str | None]] | pa.Table) -> pa.Table:
    """(doc_key, doc, updated_at_raw) tuples or a table with these columns -> one Arrow table; a null `doc` deletes
    the key.
    """
    if isinstance(rows, pa.Table):
        return rows.select(SCHEMA.names).cast(SCHEMA)
    columns: list[Sequence[str | None]] = list(zip(*rows, strict=True)) if rows else [[], [], []]
    return pa.table(columns, schema=SCHEMA)


def write_documents(
    commit: Commit, stream: str, rows: Sequence[Sequence[str | None]] | pa.Table, source_time: object
) -> None:
    """Append the documents that changed to the stream's log and bring its state up to them, inside `commit`.

    The order of `rows` is their order in the log: ordinal n is row n, so a key may occur several times. Written in
    parts of some MB: a list of documents is not in memory a second time.
    """
    db, system = commit.db, commit.system
    commit.version, _ = evolve(db, system, stream, DOCUMENT, None)
    log, state = log_of(system, stream), state_of(system, stream)
    before, first = _landed(db, log, commit.batch_id), 0
    for part in _parts(rows):
        with lent(db, "_incoming", part.append_column("_ordinal", pa.array(range(first, first + len(part))))):
            _append(commit, log, state, source_time)
        apply(db, log, state, DOCUMENT, f"_batch_id = {commit.batch_id} and _ordinal >= {first}")
        first += len(part)
        commit.bytes += part.nbytes
    landed = _landed(db, log, commit.batch_id) - before
    commit.per_stream[stream] = commit.per_stream.get(stream, 0) + landed


def empty_documents(commit: Commit, stream: str, source_time: object) -> None:
    """Take every document of a stream out of its state, inside `commit` and before its rows; the log keeps them."""
    db, system = commit.db, commit.system
    commit.version, _ = evolve(db, system, stream, DOCUMENT, None)
    db.execute(
        f"insert into {log_of(system, stream)} (_generation, _commit_pos, _ordinal, _op, _commit_ts, _batch_id) "
        "values (?, ?, -1, 't', ?, ?)",
        [commit.generation, commit.batch_id, source_time, commit.batch_id],
    )
    db.execute(f"delete from {state_of(system, stream)}")
    commit.per_stream[stream] = commit.per_stream.get(stream, 0) + 1


def stamps_of(landing: Landing, stream: str, keys: Sequence[str]) -> dict[str, str | None]:
    """The source's own time stamp of each of these documents that has landed."""
    if not keys or stream not in landing.streams():
        return {}
    with landing.session() as db:
        query = f"select doc_key, updated_at_raw from {state_of(landing.system, stream)}"
        return dict(db.execute(f"{query} where doc_key in (select unnest(?::varchar[]))", [keys]).fetchall())


def has_documents(landing: Landing, stream: str) -> bool:
    """Whether any document of a stream has landed and is there."""
    if not landing.path.exists() or stream not in landing.streams():
        return False
    with landing.session() as db:
        return db.execute(f"select 1 from {state_of(landing.system, stream)} limit 1").fetchone() is not None


def _parts(rows: Sequence[Sequence[str | None]] | pa.Table) -> Iterator[pa.Table]:
    if isinstance(rows, pa.Table):
        yield as_table(rows)
        return
    for part in parts(rows, (len(row[1] or "") for row in rows)):
        yield as_table(part)


def _append(commit: Commit, log: str, state: str, source_time: object) -> None:
    """Append what changes of `_incoming`. Documents are compared by their digests, so that none is held for it."""
    db = commit.db
    db.execute(
        f"""
        create or replace temp table _changed as
        with incoming as materialized (
            select doc_key, _ordinal, doc is null as is_gone, md5_number(doc) as digest from _incoming
        ),
        former as (
            select doc_key, md5_number(doc) as digest from {state} where doc_key in (select doc_key from incoming)
        ),
        stepped as (
            select
                i._ordinal, i.is_gone, i.digest,
                case when count(*) over before = 0 then f.digest else lag(i.digest) over by_key end as previous,
            from incoming i left join former f using (doc_key)
            window
                by_key as (partition by i.doc_key order by i._ordinal),
                before as (
                    partition by i.doc_key order by i._ordinal rows between unbounded preceding and 1 preceding
                )
        )
        select _ordinal, case when is_gone then 'd' when previous is null then 'i' else 'u' end as op
        from stepped where digest is distinct from previous
        """
    )
    db.execute(
        f"""
        insert into {log}
        select
            ?, ?, i._ordinal, c.op, null, ?, ?, null, i.doc_key, i.doc, i.updated_at_raw
        from _incoming i join _changed c using (_ordinal)
        order by i._ordinal
        """,
        [commit.generation, commit.batch_id, source_time, commit.batch_id],
    )
    db.execute("drop table _changed")


def _landed(db: duckdb.DuckDBPyConnection, log: str, batch_id: int) -> int:
    row = db.execute(f"select count(*) from {log} where _batch_id = ?", [batch_id]).fetchone()
    return row[0] if row else 0
