"""The first copy: every stream as of the slot's consistent point, landed in one commit, so that it is there whole or
not at all; and later copies of some streams beside the others, as of a position of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg

from connectors.landing import Landing
from connectors.landing.commit import Commit, begin_snapshot
from connectors.model import PermanentError, literal
from connectors.postgres import slot as slots
from connectors.postgres.catalogue import look
from connectors.postgres.following import forget_shapes, record
from connectors.postgres.link import ReplicationLink, lsn_text, raw_text, sql
from connectors.postgres.relation import StreamSpec
from connectors.postgres.shape import Followed, StreamStopped
from connectors.postgres.table import text_outputs
from connectors.postgres.table_copy import Progress, Reading, Table, write_table
from connectors.postgres.wide import Wide, wide_columns


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

    A slot left by an attempt that was killed is dropped first: nothing of it was committed; where something had landed,
    it is noted before that a snapshot must come, so that the next pass takes it after a kill. Unlike later batches,
    which are extracted before the file is opened, this one holds the landing file while it reads; there is nothing to
    load from it before. Raises StreamStopped where a key proves to be none, PermanentError where no stream is left.
    """
    with sql(dsn) as connection:
        first = look(connection, publication, streams)
        if not first.followed.keys() - set(without):
            reasons = " ".join(str(one) for one in first.stopped.values())
            raise PermanentError("No stream can be followed.", reasons)
        if landing.cursor("*") is not None:
            with landing.session() as db:
                begin_snapshot(db, "*")
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
            forget_shapes(commit.db, [f.name for f in chosen])
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
        Table(f, tuple(seen.outputs[f.name].items()), seen.dsn, exported, point - 1, seen.now, seen.wide[f.name])
        for f in followed
    ]
    with closing(Reading(tables)) as reading:
        for table in tables:
            write_table(commit, table, reading, on_progress or (lambda _stream, _rows: None))
            record(commit.db, table.stream, table.followed.shape, point)
