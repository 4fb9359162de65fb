"""Where a Postgres source is: its newest position, and the target that one sync reads up to."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import psycopg

from connectors.postgres import slot as slots
from connectors.postgres.link import lsn_of, sql

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


def _one(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    return row[0] if row else None


def target_of(connection: psycopg.Connection) -> tuple[datetime, int]:
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
