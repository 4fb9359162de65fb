"""The one transaction of a batch: rows, state, dead letters, schema version, cursor and batch record, or none of
them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb

from connectors.landing.superseded import close_landed
from connectors.model import BatchRecord, Column, DeadLetter, OnPhase, Position
from connectors.size import kept


def utc_now() -> datetime:
    """Now as a naive UTC instant, the form every `_utc` column has."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass
class Commit:
    """A batch while it is being written. The writer adds to `rows`, `bytes` and `version`, and may say another
    `cursor` and `source_time` when it knows them only at its end; `one_commit` ends it. `touched` are streams whose
    changes may end a dead letter, with their columns.
    """

    db: duckdb.DuckDBPyConnection
    system: str
    stream: str
    batch_id: int
    generation: int
    from_pos: str | None
    started_at: datetime
    cursor: Position
    source_time: datetime | None = None
    bytes: int = 0
    version: int = 0
    per_stream: dict[str, int] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    touched: dict[str, Sequence[Column]] = field(default_factory=dict)
    record: BatchRecord | None = None

    @property
    def rows(self) -> int:
        return sum(self.per_stream.values())


def read_cursor(db: duckdb.DuckDBPyConnection, stream: str) -> tuple[dict[str, Any] | None, int]:
    """The stored position of a stream and its generation; (None, 0) before its first commit."""
    row = db.execute("select position, generation from _land.cursor where stream = ?", [stream]).fetchone()
    return (None, 0) if row is None else (json.loads(row[0]), row[1])


def begin_snapshot(db: duckdb.DuckDBPyConnection, stream: str) -> None:
    """The position counts no more: whatever comes between, the next commit of `stream` is a snapshot."""
    db.execute("update _land.cursor set phase = 'snapshot' where stream = ?", [stream])


def is_snapshot_begun(db: duckdb.DuckDBPyConnection, stream: str) -> bool:
    return (
        db.execute("select 1 from _land.cursor where stream = ? and phase = 'snapshot'", [stream]).fetchone()
        is not None
    )


def write_cursor(commit: Commit, cursor: Position) -> str:
    position = json.dumps(cursor, sort_keys=True)
    commit.db.execute("delete from _land.cursor where stream = ?", [commit.stream])
    commit.db.execute(
        "insert into _land.cursor values (?, ?, 'streaming', ?, ?)",
        [commit.stream, position, commit.generation, utc_now()],
    )
    return position


def write_dead(db: duckdb.DuckDBPyConnection, dead: Sequence[DeadLetter]) -> list[dict[str, Any]]:
    """Store dead letters by id: a record seen before counts an attempt, and is open again when it was closed. Returns
    their headers, without raw bytes."""
    for letter in {item.id: item for item in dead}.values():
        if db.execute("select 1 from _land.dead_letter where id = ?", [letter.id]).fetchone():
            db.execute(
                "update _land.dead_letter set attempts = attempts + 1, state = 'open', resolved_by = null where id = ?",
                [letter.id],
            )
        else:
            db.execute(
                "insert into _land.dead_letter values (?, ?, ?, ?, ?, ?, ?, 'open', 1, ?, null)",
                [
                    letter.id,
                    letter.stream,
                    letter.key,
                    letter.position,
                    letter.ordinal,
                    letter.reason,
                    kept(letter.raw),
                    utc_now(),
                ],
            )
    return [
        {"id": d.id, "stream": d.stream, "key": d.key, "position": d.position, "reason": d.reason, "state": "open"}
        for d in dead
    ]


def write_batch(commit: Commit, to_pos: str, source_time: datetime | None, correlation_id: str | None) -> BatchRecord:
    """Record the batch. A batch of nothing replaces one of nothing before it, so that an idle source does not fill
    the table.
    """
    headers = write_dead(commit.db, commit.dead)
    for stream, columns in commit.touched.items():
        close_landed(commit.db, commit.batch_id, commit.system, stream, columns)
    if not commit.rows and not commit.dead:
        last = commit.db.execute(
            "select batch_id, from_pos, source_time_utc, started_at from _land.batch "
            "where batch_id = (select max(batch_id) from _land.batch) "
            "and stream = ? and rows = 0 and dead = 0",
            [commit.stream],
        ).fetchone()
        if last:
            commit.batch_id, commit.from_pos, complete, commit.started_at = last  # a number and its beginning are one
            source_time = source_time or complete  # one that says less takes nothing back
            commit.db.execute("delete from _land.batch where batch_id = ?", [commit.batch_id])
    record = BatchRecord(
        system=commit.system,
        batch_id=commit.batch_id,
        stream=commit.stream,
        from_pos=commit.from_pos,
        to_pos=to_pos,
        rows=commit.rows,
        bytes=commit.bytes,
        dead=len(commit.dead),
        schema_version=commit.version,
        correlation_id=correlation_id,
        source_time_utc=source_time,
        started_at=commit.started_at,
        committed_at=utc_now(),
        per_stream=dict(commit.per_stream),
        dead_letters=headers,
    )
    commit.db.execute(
        "insert into _land.batch values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            record.batch_id,
            record.stream,
            record.from_pos,
            record.to_pos,
            record.rows,
            record.bytes,
            record.dead,
            record.schema_version,
            correlation_id,
            source_time,
            record.started_at,
            record.committed_at,
            json.dumps(commit.per_stream, sort_keys=True),
        ],
    )
    return record


@contextmanager
def one_commit(
    db: duckdb.DuckDBPyConnection,
    system: str,
    stream: str,
    cursor: Position,
    *,
    new_generation: bool = False,
    source_time: datetime | None = None,
    correlation_id: str | None = None,
    on_phase: OnPhase | None = None,
) -> Iterator[Commit]:
    """Yield a Commit whose writes, with the cursor and the batch record, commit together when the block ends without
    an error.
    """
    phase = on_phase or (lambda _name: None)
    started = utc_now()
    db.execute("begin")
    try:
        before, generation = read_cursor(db, stream)
        (batch_id,) = db.execute("select coalesce(max(batch_id), 0) + 1 from _land.batch").fetchone() or (1,)
        commit = Commit(
            db,
            system,
            stream,
            batch_id,
            generation + int(new_generation or before is None),
            json.dumps(before, sort_keys=True) if before is not None else None,
            started,
            cursor,
            source_time,
        )
        phase("writing")
        yield commit
        to_pos = write_cursor(commit, commit.cursor)
        record = write_batch(commit, to_pos, commit.source_time, correlation_id)
        phase("committing")
        db.execute("commit")
        commit.record = record
        phase("committed")
    except BaseException:
        _roll_back(db)
        raise


def _roll_back(db: duckdb.DuckDBPyConnection) -> None:
    with suppress(duckdb.Error):  # the failed statement may have ended the transaction already
        db.execute("rollback")
