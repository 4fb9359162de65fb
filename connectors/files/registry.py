"""Which files and interchanges a landing file has taken; written in the transaction that lands their rows."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import duckdb
import pyarrow as pa

from connectors.files.remote import RemoteFile
from connectors.landing import Landing

State = Literal["landed", "duplicate", "changed", "refused", "pending", "unread"]

TABLES = """
create table if not exists _land.file (
    stream varchar, path varchar, size bigint, mtime bigint, sha256 varchar, state varchar, rows bigint,
    first_seen timestamp,
);
create table if not exists _land.interchange (
    stream varchar, sender varchar, receiver varchar, control varchar, sha256 varchar, path varchar,
);
alter table _land.file add column if not exists taken bigint;
"""
_FILE = pa.schema(
    [
        ("stream", pa.string()),
        ("path", pa.string()),
        ("size", pa.int64()),
        ("mtime", pa.int64()),
        ("sha256", pa.string()),
        ("state", pa.string()),
        ("rows", pa.int64()),
        ("first_seen", pa.timestamp("us")),
        ("taken", pa.int64()),
    ]
)
_CONTROL = pa.schema([(name, pa.string()) for name in ("stream", "sender", "receiver", "control", "sha256", "path")])


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered of one file. `pending`: seen whole in name but not in content; `unread`: the server does not
    give it. `sha256` is of the content that was taken last, of `taken` bytes; `size` is what was listed."""

    path: str
    size: int
    mtime: int
    sha256: str | None
    state: State
    rows: int
    first_seen: datetime
    taken: int | None = None

    @property
    def is_waiting(self) -> bool:
        return self.state in ("pending", "unread")

    @property
    def length(self) -> int:
        return self.size if self.taken is None else self.taken

    def begins(self, content: bytes) -> bool:
        """Whether the content is what was taken of this file, and more."""
        return len(content) > self.length and hashlib.sha256(content[: self.length]).hexdigest() == self.sha256

    def is_as_listed(self, file: RemoteFile) -> bool:
        return (self.size, self.mtime) == (file.size, file.mtime)


@dataclass(frozen=True, slots=True)
class Control:
    """A control number that is taken: one per sender, receiver and ISA13 (X12.5: unique between the two parties)."""

    sender: str
    receiver: str
    control: str
    sha256: str
    path: str

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.sender, self.receiver, self.control)


@dataclass
class Registry:
    """What one stream has taken, read at the start of a sync and kept current by it."""

    stream: str
    files: dict[str, Known] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    controls: dict[tuple[str, str, str], Control] = field(default_factory=dict)

    def remember(self, known: Known) -> None:
        self.files[known.path] = known
        if known.sha256 and known.state == "landed":
            self.contents.setdefault(known.sha256, known.path)


def read_registry(landing: Landing, stream: str) -> Registry:
    """The registry of a stream; empty before its first commit."""
    registry = Registry(stream)
    if not landing.path.exists():
        return registry
    with landing.session() as db:
        db.execute(TABLES)
        files = db.execute(
            "select path, size, mtime, sha256, state, rows, first_seen, taken from _land.file where stream = ?",
            [stream],
        ).fetchall()
        controls = db.execute(
            "select sender, receiver, control, sha256, path from _land.interchange where stream = ?", [stream]
        ).fetchall()
    for row in files:
        registry.remember(Known(*row))
    for row in controls:
        control = Control(*row)
        registry.controls[control.key] = control
    return registry


def write_registry(
    db: duckdb.DuckDBPyConnection, stream: str, files: Iterable[Known], controls: Iterable[Control]
) -> None:
    """Replace what is remembered of these files and add these control numbers, inside the caller's transaction."""
    db.execute(TABLES)
    rows = [(stream, f.path, f.size, f.mtime, f.sha256, f.state, f.rows, f.first_seen, f.taken) for f in files]
    taken = [(stream, c.sender, c.receiver, c.control, c.sha256, c.path) for c in controls]
    if rows:
        db.register(
            "_files", pa.Table.from_pylist([dict(zip(_FILE.names, row, strict=True)) for row in rows], schema=_FILE)
        )
        db.execute("delete from _land.file where stream = ? and path in (select path from _files)", [stream])
        db.execute("insert into _land.file select * from _files")
        db.unregister("_files")
    if taken:
        db.register(
            "_taken",
            pa.Table.from_pylist([dict(zip(_CONTROL.names, row, strict=True)) for row in taken], schema=_CONTROL),
        )
        db.execute("insert into _land.interchange select * from _taken")
        db.unregister("_taken")


def taken_up_to(landing: Landing) -> datetime | None:
    """The server's time of the newest file taken in any stream, but not past one that still waits. Naive UTC."""
    with landing.session() as db:
        db.execute(TABLES)
        row = db.execute(
            "select least(min(mtime) filter (state in ('pending', 'unread')), max(mtime)) from _land.file"
        ).fetchone()
    return None if row is None or row[0] is None else datetime.fromtimestamp(row[0], UTC).replace(tzinfo=None)


def close_read(db: duckdb.DuckDBPyConnection, stream: str, paths: Iterable[str], batch_id: int) -> None:
    """End the letters of what could not be read and now is, inside the caller's transaction."""
    db.execute(
        "update _land.dead_letter set state = 'resolved', resolved_by = ? where stream = ? and state = 'open' "
        """and position like '%"level":"unread"%' and key in (select unnest(?::varchar[]))""",
        [f"batch {batch_id}", stream, list(paths)],
    )


def forget_gone(db: duckdb.DuckDBPyConnection, stream: str, paths: Sequence[str]) -> None:
    """Wait no longer for files that are not there any more, inside the caller's transaction."""
    if not paths:
        return
    gone = "stream = ? and state in ('pending', 'unread') and path in (select unnest(?::varchar[]))"
    db.execute(f"delete from _land.file where {gone} and sha256 is null", [stream, paths])
    db.execute(f"update _land.file set state = 'duplicate' where {gone}", [stream, paths])


def forget(db: duckdb.DuckDBPyConnection, stream: str, path: str) -> None:
    """Let the next sync read a file again, inside the caller's transaction."""
    db.execute(TABLES)
    db.execute("delete from _land.file where stream = ? and path = ?", [stream, path])
