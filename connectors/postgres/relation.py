"""What a stream is to a reader, and what the server says of its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.model import Column
from connectors.postgres.shape import By
from connectors.postgres.types import duckdb_type


class StreamSpec(Protocol):
    """A stream to read: its name, `schema.table`, and its key columns (empty: the table's primary key)."""

    @property
    def name(self) -> str: ...
    @property
    def table(self) -> str: ...
    @property
    def key(self) -> Sequence[str]: ...


Sent = tuple[tuple[str, int, int], ...]
"""The columns of a Relation message: name, type oid, type modifier."""


@dataclass(frozen=True)
class Keyed:
    """A stream to decode: its key columns, the position from which its changes are new, and the columns under which
    they are taken (empty: any).

    A description with other columns holds the stream: what stands behind it does not add up to the table. With
    `refuses`, its rows become dead letters instead. `by` is what stops it then.
    With `oid`, the table is told by it: its name may have been another one for a while, or that of another table.
    """

    name: str
    table: str
    key: tuple[str, ...]
    after: int = 0
    accepts: tuple[Sent, ...] = ()
    refuses: bool = False
    by: By = "source"
    oid: int = 0


@dataclass(frozen=True)
class Relation:
    """A table as the last Relation message described it; `stream` is None for one that is not decoded. `known` are the
    columns that land where its rows are refused.
    """

    oid: int
    table: str
    stream: str | None
    columns: tuple[Column, ...]
    after: int = 0
    known: tuple[Column, ...] | None = None


def relation_of(raw: bytes, streams: Sequence[Keyed], held: set[str]) -> Relation:
    """Parse a Relation message; the key is the stream's. A stream whose columns are not accepted is added to `held`,
    and one that is in there is not decoded.
    """
    oid = int.from_bytes(raw[1:5], "big")
    schema, table, rest = raw[5:].split(b"\0", 2)
    name = f"{schema.decode()}.{table.decode()}"
    stream = next((s for s in streams if (s.oid == oid if s.oid else s.table == name)), None)
    count, at, columns, sent = int.from_bytes(rest[1:3], "big"), 3, [], []
    for _ in range(count):
        end = rest.index(b"\0", at + 1)
        column, type_oid = rest[at + 1 : end].decode(), int.from_bytes(rest[end + 1 : end + 5], "big")
        modifier = int.from_bytes(rest[end + 5 : end + 9], "big", signed=True)
        key = column in stream.key if stream else bool(rest[at] & 1)
        columns.append(Column(column, duckdb_type(type_oid, modifier), key))
        sent.append((column, type_oid, modifier))
        at = end + 9
    if stream is None:
        return Relation(oid, name, None, tuple(columns))
    known = None
    if stream.accepts and tuple(sent) not in stream.accepts:
        common = set(sent) & set(stream.accepts[0])
        known = tuple(c for c, s in zip(columns, sent, strict=True) if s in common)
        if not stream.refuses or not set(stream.key) <= {c.name for c in known}:
            held.add(stream.name)
    return Relation(oid, name, None if stream.name in held else stream.name, tuple(columns), stream.after, known)
