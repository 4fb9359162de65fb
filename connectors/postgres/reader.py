"""Bring a landing file up to its Postgres source: by a snapshot the first time, later by the slot's transactions, each
batch landed and then acknowledged.

The start position always comes from DuckDB. The order is: commit in DuckDB, then advance the slot; a kill between the
two makes the server send again what has landed, and the position says to leave it out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from connectors.landing import Landing
from connectors.landing.commit import Commit, is_snapshot_begun
from connectors.landing.tables import evolve
from connectors.postgres import slot as slots
from connectors.postgres import snapshot
from connectors.postgres.catalogue import Looked, look
from connectors.postgres.catch_up import CatchUp, Limits, SyncCounts
from connectors.postgres.following import Plan, Record, complete_before, plan_of, record, record_stops, records
from connectors.postgres.link import ReplicationLink, lsn_of, raw_text, sql
from connectors.postgres.position import slot_of, target_of
from connectors.postgres.relation import StreamSpec
from connectors.postgres.shape import StreamStopped

__all__ = ["Limits", "Source", "SyncCounts", "sync_postgres"]


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
    snapshot_of: Sequence[str] = (),
    limits: Limits = Limits(),
) -> SyncCounts:
    """Land everything that the source had committed when this call began; safe to kill at any moment and to repeat.

    A stream that is new, or whose table changed otherwise than row by row, is read again beside the others, as are
    those of `snapshot_of`; one that cannot be followed stands still and is named in `SyncCounts.stopped`. `slot`
    defaults to `crossdock_<system>`. `on_progress(stream, rows)` is called during a snapshot, and with `*` after each
    batch. `resnapshot` starts a new generation. Raises PositionLost or another PermanentError that says what to do,
    TransientError otherwise.
    """
    source = Source(system, landing, dsn, publication, tuple(streams), slot or slot_of(system), on_progress, limits)
    return source.sync(resnapshot, snapshot_of)


@dataclass(frozen=True)
class Source:
    """One system's source, and where it lands."""

    system: str
    landing: Landing
    dsn: str
    publication: str
    streams: tuple[StreamSpec, ...]
    slot: str
    on_progress: Callable[[str, int], None] | None
    limits: Limits

    def sync(self, resnapshot: bool = False, asked: Sequence[str] = (), upto: int | None = None) -> SyncCounts:
        """Land up to the source's newest position or `upto`; once more without each stream whose key proves to be
        none.
        """
        counts = SyncCounts()
        found: dict[str, StreamStopped] = {}
        while True:
            try:
                self._once(counts, resnapshot, asked, found, upto)
                return counts
            except StreamStopped as stopped:
                if stopped.stream in found:
                    raise
                found[stopped.stream] = stopped

    def _once(
        self,
        counts: SyncCounts,
        resnapshot: bool,
        asked: Sequence[str],
        found: Mapping[str, StreamStopped],
        upto: int | None,
    ) -> None:
        cursor = self.landing.cursor("*")
        if cursor is None or resnapshot or self._is_begun():  # newer than this call: nothing more to read from the slot
            commit, stopped = snapshot.take(
                self.landing, self.dsn, self.slot, self.publication, self.streams, self.on_progress, without=found
            )
            self._told(commit, counts)
            with self.landing.session() as db:
                self._note_left_out(self.landing.streams(), records(db))
            counts.position = commit.cursor["lsn"]
            counts.complete_up_to = self._stop({**stopped, **found}, commit.source_time, counts)
            return
        with ReplicationLink(self.dsn) as link:
            identity = slots.identify(link)
        with sql(self.dsn) as connection:
            plan, looked = self._plan(connection, asked, found)
            flushed, restart = slots.confirmed(connection, self.slot, cursor, identity)
            now, target = target_of(connection)
            target = target if upto is None else upto
            run = CatchUp(
                self.landing,
                raw_text(self.dsn, connection),
                self.publication,
                plan.keyed,
                plan.stopped,
                [f for f in looked.followed.values() if not f.is_unique],
                self.slot,
                self.limits,
                self.on_progress,
                counts,
                connection,
                cursor,
                target,
            )
            if flushed < lsn_of(cursor["lsn"]):  # landed, but a kill came before the acknowledgement
                run.acknowledge()
            is_complete = not plan.reread and not plan.stopped
            run.read_up_to(target, restart, now if is_complete else None)
            if run.held:
                plan, _ = self._plan(connection, asked, found)
        counts.position = run.cursor["lsn"]
        self._adopt(plan)
        stopped = {**plan.stopped}
        if plan.reread:
            again = [s for s in self.streams if s.name in plan.reread]

            def complete(now: datetime | None) -> datetime | None:
                return self._complete(stopped, now)

            beside, more = snapshot.take_beside(
                self.landing, self.dsn, self.publication, again, self.on_progress, complete
            )
            stopped |= more
            if beside is not None:
                self._told(beside, counts)
        counts.complete_up_to = self._stop(stopped, now, counts)

    def _is_begun(self) -> bool:
        """Whether a snapshot was begun and killed, which took the slot with it."""
        with self.landing.session() as db:
            return is_snapshot_begun(db, "*")

    def _plan(
        self, connection: psycopg.Connection, asked: Sequence[str], found: Mapping[str, StreamStopped]
    ) -> tuple[Plan, Looked]:
        looked = look(connection, self.publication, self.streams)
        looked = Looked(
            {name: one for name, one in looked.followed.items() if name not in found}, {**looked.stopped, **found}
        )
        with self.landing.session() as db:
            known = records(db)
            landed = {name: self.landing.columns(name) for name in self.landing.streams()}
            self._note_left_out({*known, *landed}, known)
        return plan_of(self.system, self.streams, looked, known, landed, asked), looked

    def _note_left_out(self, landed: Collection[str], known: Mapping[str, Record]) -> None:
        """A stream that is not declared any more misses what comes now, so one that comes back is read again."""
        gone = set(landed) - {stream.name for stream in self.streams}
        stops = [
            StreamStopped(name, "It is not declared.", "Declare it again.")
            for name in sorted(gone)
            if name not in known or not known[name].stopped
        ]
        if stops:
            record_stops(self.landing, stops, self._complete({}, None))

    def _adopt(self, plan: Plan) -> None:
        """Record the shapes that need no reading, with the columns that came."""
        if not plan.adopted:
            return
        with self.landing.session() as db:
            db.execute("begin")
            known = records(db)
            for name, followed in plan.adopted.items():
                if name not in plan.reread and name not in plan.stopped:
                    evolve(db, self.system, name, followed.columns, None)
                    record(db, name, followed.shape, known[name].start if name in known else 0)
            db.execute("commit")

    def _told(self, commit: Commit, counts: SyncCounts) -> None:
        assert commit.record is not None
        counts.add(commit.record)
        if self.landing.on_commit:
            self.landing.on_commit(commit.record)

    def _stop(self, stopped: Mapping[str, StreamStopped], now: datetime | None, counts: SyncCounts) -> datetime | None:
        """Record the streams that stand still; returns up to when the system is complete."""
        if not stopped:
            return now
        with self.landing.session():
            record_stops(self.landing, stopped.values(), self._complete({}, None))
            counts.stopped = {name: str(one) for name, one in stopped.items()}
            return self._complete(stopped, now)

    def _complete(self, stopped: Mapping[str, StreamStopped], now: datetime | None) -> datetime | None:
        """The oldest of `now` and the instants since which streams stand still; without both, where the last batch
        left it.
        """
        with self.landing.session() as db:
            known = records(db)
            last = complete_before(db)
        since = [known[name].complete_up_to for name in stopped if name in known and known[name].stopped]
        if now is None or len(since) < len(stopped):
            return last
        return min([now, *(instant for instant in since if instant is not None)])
