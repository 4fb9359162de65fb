"""Read the slot from the landed position to a target: batches of whole transactions, each landed, then acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

import psycopg

from connectors.landing import Changes, Landing
from connectors.landing.commit import Commit
from connectors.model import BatchRecord
from connectors.postgres import slot as slots
from connectors.postgres.ahead import ahead
from connectors.postgres.decoder import Decoder
from connectors.postgres.following import complete_before, write_stops
from connectors.postgres.gather import BATCH_BYTES, BATCH_MESSAGES, Piece, complete, pieces
from connectors.postgres.link import lsn_of, lsn_text
from connectors.postgres.relation import Keyed
from connectors.postgres.shape import Followed, StreamStopped
from connectors.postgres.stream import PEEK_MESSAGES, PEEK_WAL_BYTES, peek, receive
from connectors.postgres.unique import check_still_unique


@dataclass
class SyncCounts:
    """What one sync landed. `position` is the landed LSN; the source is complete up to `complete_up_to` (naive UTC),
    except for the streams in `stopped`, each with its reason.
    """

    rows: int = 0
    batches: int = 0
    dead: int = 0
    position: str = ""
    complete_up_to: datetime | None = None
    per_stream: dict[str, int] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)

    def add(self, record: BatchRecord) -> None:
        self.rows += record.rows
        self.dead += record.dead
        self.batches += 1
        for stream, rows in record.per_stream.items():
            self.per_stream[stream] = self.per_stream.get(stream, 0) + rows


@dataclass(frozen=True)
class Limits:
    """`wal_bytes`: how much WAL a peek may span before the replication protocol takes over. `messages`: how many a
    peek returns, about. `batch` and `batch_bytes`: how many, and how much, go into one commit, about; a transaction is
    never cut.
    """

    wal_bytes: int = PEEK_WAL_BYTES
    messages: int = PEEK_MESSAGES
    batch: int = BATCH_MESSAGES
    batch_bytes: int = BATCH_BYTES


@dataclass
class CatchUp:
    """The reading part of one sync. `cursor` is always what DuckDB holds. `counted` are the streams whose keys have to
    be proven by counting; `held` becomes the set of those that came under columns they do not accept. These and
    `stopped` are recorded as standing still in the same commit that moves the cursor past what they miss.
    """

    landing: Landing
    dsn: str
    publication: str
    streams: Sequence[Keyed]
    stopped: Mapping[str, StreamStopped]
    counted: Sequence[Followed]
    slot: str
    limits: Limits
    on_progress: Callable[[str, int], None] | None
    counts: SyncCounts
    connection: psycopg.Connection
    cursor: dict[str, Any]
    target: int
    complete: bool = False
    held: set[str] = field(default_factory=set)

    @property
    def at(self) -> int:
        return lsn_of(self.cursor["lsn"])

    def read_up_to(self, target: int, restart: int, now: datetime | None) -> None:
        """Land batch after batch until everything that committed before `target` has landed, then adopt `target`: the
        slot and the complete-up-to instant (`now`) move on also when only other tables were written. Without `now`,
        or with a stream held, what lands is not complete.

        Raises StreamStopped where a key proves to be none; nothing of that batch has landed.
        """
        folder, most = self.landing.path.parent, (self.limits.batch, self.limits.batch_bytes)
        while self.at < target:
            upto = min(target, restart + self.limits.wal_bytes)
            if upto <= self.at < target:
                sent = receive(self.dsn, self.slot, self.publication, self.at, target)
                self._land(complete(pieces(sent, *most), folder), target, now)
                break
            total = 0
            if upto > self.at:  # the server sends nothing before it has all, so a commit need not wait for it
                sent = peek(self.dsn, self.slot, self.publication, upto, self.limits.messages)
                total = self._land(pieces(sent, *most), upto, now)
            if total < self.limits.messages:  # the peek ended by position, so nothing before `upto` is left
                if upto == target or self.at >= target:
                    break
                self._adopt(upto, None)
            restart = slots.restart_position(self.connection, self.slot)
        if not self.complete:
            self._adopt(target, now)

    def _land(self, parts: Iterator[Piece], upto: int, now: datetime | None) -> int:
        """Land messages that hold everything committed before `upto`, unless they reach the limit; returns how many
        they were. They are fetched and decoded in a thread, also while DuckDB commits.
        """
        total, decoder = 0, Decoder(self.streams, after=self.at, held=self.held)
        decoding = ((piece, decoder.decode(piece.array)) for piece in parts)
        with closing(ahead(decoding, weigh=lambda one: 2 * one[0].size)) as decoded:
            for first in decoded:
                batch = _Batch(chain([first], decoded))

                def end(batch: _Batch = batch, before: int = total) -> tuple[int, datetime | None]:
                    is_whole = batch.last and before + batch.messages < self.limits.messages
                    return (max(batch.end, upto), now) if is_whole else (batch.end, None)

                self._commit(batch.changes(), end)
                total += batch.messages
        if total:
            self.acknowledge()
        return total

    def _adopt(self, position: int, now: datetime | None) -> None:
        """Take over a position before which nothing is left to land: in DuckDB first, then at the slot."""
        self._commit(iter(()), lambda: (position, now))
        self.acknowledge()

    def _commit(self, changes: Iterator[Changes], end: Callable[[], tuple[int, datetime | None]]) -> None:
        """Land `changes`; when all are written, `end` says the position behind them, and the instant up to which the
        source is complete there.
        """
        landed, is_whole = dict(self.cursor), False

        def finish(commit: Commit) -> None:
            nonlocal is_whole
            position, instant = end()
            is_whole = instant is not None
            commit.source_time = None if self.held else instant
            write_stops(commit.db, self._stops(), complete_before(commit.db))
            for followed in self.counted:
                if followed.name in commit.touched:
                    check_still_unique(commit, followed)
            landed["lsn"] = lsn_text(max(position, self.at))

        record = self.landing.land_changes(changes, landed, position=self.cursor["lsn"], finish=finish)
        self.cursor = landed
        self.complete = is_whole and self.at >= self.target
        self.counts.add(record)
        if self.on_progress:
            self.on_progress("*", self.counts.rows)

    def _stops(self) -> list[StreamStopped]:
        held = [
            StreamStopped(one.name, "Its columns changed, and came back.", "The next pass reads it again.", one.by)
            for one in self.streams
            if one.name in self.held and one.name not in self.stopped
        ]
        return [*self.stopped.values(), *held]

    def acknowledge(self) -> None:
        phase = self.landing.on_phase or (lambda _name: None)
        phase("acknowledging")
        slots.advance(self.connection, self.slot, self.at)
        phase("acknowledged")


class _Batch:
    """The pieces of one commit, as they come: how many messages, the position behind them, whether they are the
    last.
    """

    def __init__(self, decoded: Iterator[tuple[Piece, list[Changes]]]) -> None:
        self.decoded = decoded
        self.messages, self.end, self.last = 0, 0, False

    def changes(self) -> Iterator[Changes]:
        for piece, changes in self.decoded:
            yield from changes
            self.messages += len(piece.array)
            self.end, self.last = piece.end or self.end, piece.last
            if piece.cut:
                return
