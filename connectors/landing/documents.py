"""Land documents: keyed JSON text. A document that equals the current one is not a change, however often it is read."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from connectors.landing.commit import Commit
from connectors.landing.state import apply
from connectors.landing.tables import DOCUMENT, evolve, log_of, state_of

SCHEMA = pa.schema([("doc_key", pa.string()), ("doc", pa.string()), ("updated_at_raw", pa.string())])


def as_table(rows: Sequence[Sequence[str | None]] | pa.Table) -> pa.Table:
    """(doc_key, doc, updated_at_raw) tuples or a table with these columns -> one Arrow table; a null `doc` deletes
    the key.
    """
    if isinstance(rows, pa.Table):
        return rows.select(SCHEMA.names).cast(SCHEMA)
    columns: list[Sequence[str | None]] = list(zip(*rows, strict=True)) if rows else [[], [], []]
    return pa.table(columns, schema=SCHEMA)


def write_documents(commit: Commit, stream: str, rows: pa.Table, source_time: object) -> None:
    """Append the documents that changed to the stream's log and bring its state up to them, inside `commit`.

    The order of `rows` is their order in the log: ordinal n is row n, so a key may occur several times.
    """
    db, system = commit.db, commit.system
    commit.version, _ = evolve(db, system, stream, DOCUMENT, None)
    log, state = log_of(system, stream), state_of(system, stream)
    incoming = rows.append_column("_ordinal", pa.array(range(len(rows)), pa.int64()))
    db.register("_incoming", incoming)
    try:
        db.execute(
            f"""
            insert into {log}
            with stepped as (
                select
                    i.doc_key, i.doc, i.updated_at_raw, i._ordinal,
                    case when count(*) over before = 0 then s.doc else lag(i.doc) over by_key end as previous,
                from _incoming i left join {state} s using (doc_key)
                window
                    by_key as (partition by i.doc_key order by i._ordinal),
                    before as (
                        partition by i.doc_key order by i._ordinal rows between unbounded preceding and 1 preceding
                    )
            )
            select
                ?, ?, _ordinal, case when doc is null then 'd' when previous is null then 'i' else 'u' end, null, ?, ?,
                null, doc_key, doc, updated_at_raw
            from stepped
            where doc is distinct from previous
            order by _ordinal
            """,
            [commit.generation, commit.batch_id, source_time, commit.batch_id],
        )
        landed = _landed(db, log, commit.batch_id)
    finally:
        db.unregister("_incoming")
    commit.per_stream[stream] = commit.per_stream.get(stream, 0) + landed
    commit.bytes += rows.nbytes
    apply(db, log, state, DOCUMENT, f"_batch_id = {commit.batch_id}")


def _landed(db: duckdb.DuckDBPyConnection, log: str, batch_id: int) -> int:
    row = db.execute(f"select count(*) from {log} where _batch_id = ?", [batch_id]).fetchone()
    return row[0] if row else 0
