"""`Landing`: the landing file of one system. Call it to open it; it holds the file only while it reads or commits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from connectors.landing import state as states
from connectors.landing.changes import Changes, write_changes
from connectors.landing.commit import Commit, one_commit, read_cursor
from connectors.landing.corruption import history_minded
from connectors.landing.documents import empty_documents, write_documents
from connectors.landing.lock import opened
from connectors.landing.tables import DOCUMENT, create_control, evolve, landed_columns, log_of, state_of
from connectors.model import BatchRecord, Column, DeadLetter, OnCommit, OnPhase, Position

STORAGE = {"storage_compatibility_version": "v1.3.0"}  # of a new file: its encodings take a third less time to write


class Landing:
    """The landing file `path` of `system`.

    Extract first, without it; each `land_*` call is one transaction. A file that another process has open is waited
    for, up to `lock_timeout_s`, then a TransientError names the holder. `on_commit` is called with the BatchRecord
    after each commit, when the file is closed again. Use it as a context manager or not: it keeps nothing open
    between calls, except inside `session()`.
    """

    def __init__(
        self,
        path: Path | str,
        system: str,
        lock_timeout_s: float = 30,
        *,
        on_commit: OnCommit | None = None,
        on_phase: OnPhase | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.path, self.system, self.lock_timeout_s = Path(path), system, lock_timeout_s
        self.on_commit, self.on_phase, self.settings = on_commit, on_phase, settings
        self._session: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> Landing:
        return self

    def __exit__(self, *_exc: object) -> None:
        return None

    @contextmanager
    def session(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Hold the file open for the length of the block; calls inside it share the connection."""
        if self._session is not None:
            yield self._session
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        settings = {**STORAGE, **(self.settings or {})}
        with history_minded(self.path), opened(self.path, self.lock_timeout_s, settings) as db:
            create_control(db, self.system)
            self._session = db
            try:
                yield db
            finally:
                self._session = None

    def cursor(self, stream: str) -> dict[str, Any] | None:
        """The position stored with the last commit of `stream` (`*` for a reader whose batches span streams), or
        None.
        """
        if self._session is None and not self.path.exists():
            return None
        with self.session() as db:
            return read_cursor(db, stream)[0]

    def declare(self, stream: str, columns: Sequence[Column] = DOCUMENT) -> None:
        """Create a stream's empty relations, so that what is built on it works before its first row."""
        with self.session() as db:
            db.execute("begin")
            evolve(db, self.system, stream, columns, None)
            db.execute("commit")

    def land_documents(
        self,
        stream: str,
        rows: Sequence[Sequence[str | None]] | pa.Table,
        cursor: Position,
        dead: Sequence[DeadLetter] = (),
        source_time_utc: datetime | None = None,
        correlation_id: str | None = None,
        is_anew: bool = False,
    ) -> BatchRecord:
        """Land (doc_key, doc, updated_at_raw) rows, in order, with the cursor and dead letters, in one commit.

        A document equal to the current one is skipped; a null `doc` deletes the key; a key may occur several times.
        `source_time_utc` (naive UTC) is the instant up to which the source is now complete. `is_anew`: what landed
        before leaves the state first.
        """
        with self.commit(stream, cursor, source_time_utc, correlation_id) as commit:
            commit.dead.extend(dead)
            if is_anew:
                empty_documents(commit, stream, source_time_utc)
            write_documents(commit, stream, rows, source_time_utc)
        return self._told(commit)

    def land_changes(
        self,
        batches: Iterable[Changes],
        cursor: Position,
        *,
        stream: str = "*",
        dead: Sequence[DeadLetter] = (),
        source_time_utc: datetime | None = None,
        correlation_id: str | None = None,
        position: str | None = None,
        new_generation: bool = False,
        finish: Callable[[Commit], None] | None = None,
    ) -> BatchRecord:
        """Land typed changes of any number of streams with the cursor and dead letters, in one commit.

        `finish` is called when all are written, to set what is known only then: the commit's cursor and source time.
        """
        with self.commit(stream, cursor, source_time_utc, correlation_id, new_generation) as commit:
            commit.dead.extend(dead)
            write_changes(commit, batches, position)
            if finish is not None:
                finish(commit)
        return self._told(commit)

    @contextmanager
    def commit(
        self,
        stream: str,
        cursor: Position,
        source_time_utc: datetime | None = None,
        correlation_id: str | None = None,
        new_generation: bool = False,
    ) -> Iterator[Commit]:
        """The transaction under `land_*`, for a writer that brings its own rows (a snapshot). `on_commit` is left to
        the caller.
        """
        with (
            self.session() as db,
            one_commit(
                db,
                self.system,
                stream,
                cursor,
                new_generation=new_generation,
                source_time=source_time_utc,
                correlation_id=correlation_id,
                on_phase=self.on_phase,
            ) as commit,
        ):
            yield commit

    def _told(self, commit: Commit) -> BatchRecord:
        if commit.record is None:
            raise AssertionError("a commit that ended without an error has a record")
        if self.on_commit:
            self.on_commit(commit.record)
        return commit.record

    def streams(self) -> list[str]:
        """Every stream that has landed or been declared."""
        with self.session() as db:
            return [
                row[0] for row in db.execute("select distinct stream from _land.schema_version order by 1").fetchall()
            ]

    def columns(self, stream: str) -> tuple[Column, ...]:
        with self.session() as db:
            return landed_columns(db, stream)[1]

    def check_state(self, stream: str) -> states.StateCheck:
        """Compare current state with what the log says; changes nothing."""
        with self.session() as db:
            columns = landed_columns(db, stream)[1]
            return states.compare(db, stream, log_of(self.system, stream), state_of(self.system, stream), columns)

    def rebuild_state(self, stream: str) -> None:
        """Make current state again from the whole log, in one transaction."""
        with self.session() as db:
            db.execute("begin")
            columns = landed_columns(db, stream)[1]
            states.rebuild(db, log_of(self.system, stream), state_of(self.system, stream), columns)
            db.execute("commit")

    def duplicates(self, stream: str) -> int:
        """Log rows that repeat a (generation, commit position, ordinal); anything but 0 is a fault."""
        with self.session() as db:
            return states.duplicates(db, log_of(self.system, stream))
