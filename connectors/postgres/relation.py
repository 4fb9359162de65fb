"""What a stream is to a reader, and what the server says of its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.model import Column
from connectors.postgres.types import duckdb_type


class StreamSpec(Protocol):
    """A stream to read: its name, `schema.table`, and its key columns (empty: the table's primary key)."""

    @property
    def name(self) -> str: ...
    @property
    def table(self) -> str: ...
    @property
    def key(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Keyed:
    """A stream whose key columns are known."""

    name: str
    table: str
    key: tuple[str, ...]


@dataclass(frozen=True)
class Relation:
    """A table as the last Relation message described it; `stream` is None for one that nobody asked for."""

    oid: int
    table: str
    stream: str | None
    columns: tuple[Column, ...]


def relation_of(raw: bytes, streams: Sequence[StreamSpec]) -> Relation:
    """Parse a Relation message; the key is the stream's."""
    oid = int.from_bytes(raw[1:5], "big")
    schema, table, rest = raw[5:].split(b"\0", 2)
    name = f"{schema.decode()}.{table.decode()}"
    spec: Mapping[str, StreamSpec] = {s.table: s for s in streams}
    stream = spec.get(name)
    count, at, columns = int.from_bytes(rest[1:3], "big"), 3, []
    for _ in range(count):
        end = rest.index(b"\0", at + 1)
        column, type_oid = rest[at + 1 : end].decode(), int.from_bytes(rest[end + 1 : end + 5], "big")
        modifier = int.from_bytes(rest[end + 5 : end + 9], "big", signed=True)
        key = column in stream.key if stream else bool(rest[at] & 1)
        columns.append(Column(column, duckdb_type(type_oid, modifier), key))
        at = end + 9
    return Relation(oid, name, stream.name if stream else None, tuple(columns))
