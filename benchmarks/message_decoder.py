"""A pgoutput decoder that goes message by message: the benchmark's peer, and the oracle of the property tests.

Written from the documentation of protocol version 1 alone; it shares no code with the reader it is compared with.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

UNSENT = object()


@dataclass
class Row:
    """One change: `values` by column name; columns that were not sent are missing from it and named in `unchanged`."""

    table: str
    position: int
    ordinal: int
    op: str
    values: dict[str, str | None]
    unchanged: list[str] = field(default_factory=list)


@dataclass
class MessageDecoder:
    """Decodes for tables whose key columns are in `keys` (table -> names)."""

    keys: Mapping[str, tuple[str, ...]]
    relations: dict[int, tuple[str, list[str]]] = field(default_factory=dict)
    position: int = 0
    ordinal: int = 0

    def decode(self, messages: Iterable[bytes]) -> Iterable[Row]:
        for message in messages:
            kind = chr(message[0])
            if kind == "B":
                self.position, self.ordinal = struct.unpack(">q", message[1:9])[0], 0
            elif kind == "R":
                self._relation(message)
            elif kind in "IUD":
                yield from self._row(kind, message)
            elif kind == "T":
                (count,) = struct.unpack(">i", message[1:5])
                for oid in struct.unpack(f">{count}i", message[6 : 6 + 4 * count]):
                    yield self._made(self.relations[oid][0], "t", {})

    def _relation(self, message: bytes) -> None:
        (oid,) = struct.unpack(">i", message[1:5])
        schema, rest = message[5:].split(b"\0", 1)
        table, rest = rest.split(b"\0", 1)
        (count,) = struct.unpack(">h", rest[1:3])
        rest, names = rest[3:], []
        for _ in range(count):
            name, rest = rest[1:].split(b"\0", 1)
            names.append(name.decode())
            rest = rest[8:]
        self.relations[oid] = (f"{schema.decode()}.{table.decode()}", names)

    def _row(self, kind: str, message: bytes) -> Iterable[Row]:
        (oid,) = struct.unpack(">i", message[1:5])
        table, names = self.relations[oid]
        old, at = None, 5
        if message[at : at + 1] in (b"K", b"O"):
            old, at = self._tuple(message, at + 1)
        if kind == "D":
            assert old is not None
            yield self._made(table, "d", dict(zip(names, old, strict=True)))
            return
        new, _ = self._tuple(message, at + 1)
        if old is not None:
            new = [was if now is UNSENT and was is not None else now for now, was in zip(new, old, strict=True)]
        values = dict(zip(names, new, strict=True))
        unchanged = [name for name, value in values.items() if value is UNSENT]
        values = {name: value for name, value in values.items() if value is not UNSENT}
        before = dict(zip(names, old, strict=True)) if old is not None else values
        if kind == "U" and any(before[k] != values.get(k, before[k]) for k in self.keys.get(table, ())):
            yield self._made(table, "d", before)
            yield self._made(table, "i", values, unchanged)
            return
        yield self._made(table, kind.lower(), values, unchanged)

    def _made(self, table: str, op: str, values: dict[str, Any], unchanged: list[str] | None = None) -> Row:
        row = Row(table, self.position, self.ordinal, op, values, unchanged or [])
        self.ordinal += 1
        return row

    @staticmethod
    def _tuple(message: bytes, at: int) -> tuple[list[Any], int]:
        (count,) = struct.unpack(">h", message[at : at + 2])
        at, values = at + 2, []
        for _ in range(count):
            kind = message[at : at + 1]
            if kind == b"t":
                (length,) = struct.unpack(">i", message[at + 1 : at + 5])
                values.append(message[at + 5 : at + 5 + length].decode())
                at += 5 + length
            else:
                values.append(None if kind == b"n" else UNSENT)
                at += 1
        return values, at
