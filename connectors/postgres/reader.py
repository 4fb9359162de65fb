"""Bring a landing file up to its Postgres source: by a snapshot the first time, later by the slot's transactions, each
batch landed and then acknowledged.

The start position always comes from DuckDB. The order is: commit in DuckDB, then advance the slot; a kill between the
two makes the server send again what has landed, and the position says to leave it out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import psycopg

from connectors.landing import Landing
from connectors.model import PermanentError
from connectors.postgres import slot as slots
from connectors.postgres import snapshot
from connectors.postgres.catch_up import CatchUp, Limits, SyncCounts
from connectors.postgres.link import ReplicationLink, lsn_of, raw_text, sql
from connectors.postgres.relation import StreamSpec

__all__ = ["Limits", "SyncCounts", "slot_of", "source_position", "sync_postgres"]

FLUSH_WAIT_S = 1.0


def slot_of(system: str) -> str:
    """The slot of a system that names none."""
    return f"crossdock_{system}"


def source_position(dsn: str, slot: str | None = None, publication: str = "", landed: str | None = None) -> str:
    """The source's newest position, as `sync_postgres` will land it once it has read that far.

    With `slot`, `publication` and the `landed` position: that one while nothing published has been committed behind
    it, though the server writes WAL for itself and for other tables all the time.
    """
    with sql(dsn) as connection:
        newest = str(_one(connection, "select pg_current_wal_flush_lsn()::text"))
        if landed and slot and not slots.is_pending(connection, slot, publication, lsn_of(landed)):
            return landed
        return newest


def sync_postgres(
    system: str,
    landing: Landing,
    *,
    dsn: str,
    publication: str,
    streams: Sequence[StreamSpec],
    slot: str | None = None,
    on_progress: Callable[[str, int], None] | None = None,
    resnapshot: bool = False,
    limits: Limits = Limits(),
) -> SyncCounts:
    """Land everything that the source had committed when this call began; safe to kill at any moment and to repeat.

    `slot` defaults to `crossdock_<system>`. `on_progress(stream, rows)` is called during a snapshot, and with `*`
    after each batch. `resnapshot` starts a new generation. Raises PositionLost or another PermanentError that says
    what to do, TransientError otherwise.
    """
    slot, counts = slot or slot_of(system), SyncCounts()
    cursor = landing.cursor("*")
    if cursor is None or resnapshot:  # newer than this call, so there is nothing more to read from the slot
        commit = snapshot.take(landing, dsn, slot, publication, streams, on_progress)
        assert commit.record is not None
        counts.add(commit.record)
        counts.position, counts.complete_up_to = commit.cursor["lsn"], commit.source_time
        if landing.on_commit:
            landing.on_commit(commit.record)
        return counts
    with ReplicationLink(dsn) as link:
        identity = slots.identify(link)
    with sql(dsn) as connection:
        slots.check_publication(connection, publication, streams)
        flushed, restart = slots.confirmed(connection, slot, cursor, identity)
        now, target = _target(connection)
        keyed = slots.keyed(connection, streams)
        _check_streams(landing, streams)
        run = CatchUp(
            landing,
            raw_text(dsn, connection),
            publication,
            keyed,
            slot,
            limits,
            on_progress,
            counts,
            connection,
            cursor,
            target,
        )
        if flushed < lsn_of(cursor["lsn"]):  # landed, but a kill came before the acknowledgement
            run.acknowledge()
        run.read_up_to(target, restart, now)
    counts.position = run.cursor["lsn"]
    counts.complete_up_to = now
    return counts


def _one(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    return row[0] if row else None


def _target(connection: psycopg.Connection) -> tuple[datetime, int]:
    """The server's time, and a position behind every transaction that committed before it.

    With asynchronous commit a commit is visible before it is flushed, and only flushed WAL is decoded: wait for it,
    within a bound.
    """
    now, inserted = connection.execute(
        "select clock_timestamp() at time zone 'UTC', pg_current_wal_insert_lsn()::text"
    ).fetchone() or (None, "0/0")
    deadline = time.monotonic() + FLUSH_WAIT_S
    while (flushed := lsn_of(_one(connection, "select pg_current_wal_flush_lsn()::text"))) < lsn_of(inserted):
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return now, flushed


def _check_streams(landing: Landing, streams: Sequence[StreamSpec]) -> None:
    absent = sorted({s.name for s in streams} - set(landing.streams()))
    if absent:
        raise PermanentError(f"Streams {', '.join(absent)} have no snapshot.", slots.RESNAPSHOT)
