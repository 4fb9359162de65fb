"""The words every connector shares: column, change operations, dead letter, batch record, and two kinds of error."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Op = Literal["r", "i", "u", "d", "t"]
"""Snapshot row, insert, update, delete, truncate. A key change is a delete of the old key and an insert of the new
one.
"""

Position = Mapping[str, Any]
"""Where a reader is in its source: JSON that only the connector that wrote it interprets."""


class ConnectorError(Exception):
    """What a connector raises. `way_out` says what to do next; the cause is kept by `raise ... from`."""

    def __init__(self, message: str, way_out: str = "") -> None:
        super().__init__(f"{message} {way_out}".strip())
        self.way_out = way_out


class TransientError(ConnectorError):
    """A retry may succeed: a lock, a network fault, a server that restarts."""


class Unreachable(TransientError):
    """The source does not answer, or not in time: nothing more is asked of it in this pass."""


class PermanentError(ConnectorError):
    """A retry cannot succeed: a person or a setting has to change something first."""


@dataclass(frozen=True)
class Column:
    """A landed column: its name as in the source, its DuckDB type, and whether it is part of the stream's key."""

    name: str
    type: str
    key: bool = False


@dataclass(frozen=True)
class DeadLetter:
    """A record that could not land, kept raw with the reason. `position` and `ordinal` say where it stood in its
    source.
    """

    stream: str
    reason: str
    raw: bytes
    key: str | None = None
    position: str | None = None
    ordinal: int | None = None

    @property
    def id(self) -> str:
        """The same record read twice has the same id, so that a re-read is not a second dead letter."""
        parts = (self.stream, self.key, self.position, self.ordinal, self.reason)
        return hashlib.sha256(repr(parts).encode() + b"\0" + self.raw).hexdigest()[:32]


@dataclass(frozen=True)
class BatchRecord:
    """What one commit landed. `stream` is `*` when a batch spans streams; `source_time_utc` (naive UTC) is the
    instant up to which the source is complete in landing; `dead_letters` are headers without their raw bytes.
    """

    system: str
    batch_id: int
    stream: str
    from_pos: str | None
    to_pos: str
    rows: int
    bytes: int
    dead: int
    schema_version: int
    correlation_id: str | None
    source_time_utc: datetime | None
    started_at: datetime
    committed_at: datetime
    per_stream: Mapping[str, int] = field(default_factory=dict)
    dead_letters: Sequence[Mapping[str, Any]] = ()


OnCommit = Callable[[BatchRecord], None]
OnPhase = Callable[[str], None]


def quoted(*names: str) -> str:
    """SQL identifier from its parts: `quoted("raw_erp", "orders")` is `"raw_erp"."orders"`."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
