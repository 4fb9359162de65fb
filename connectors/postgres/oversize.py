"""A row message over the limit is shortened before it is handed on, at the server where it can be, and becomes a dead
letter with its key as far as its head tells, its size and its hash.

Form: 'X', the SHA-256 of the message (32 bytes), its size (8, big-endian), then its head, which begins with the kind.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from connectors.model import DeadLetter
from connectors.postgres.relation import Relation
from connectors.size import cut, reason_of

SHORTENED = ord("X")
HEAD = 65_536
START = 41
"""Where the head of the message stands."""


def shortened_sql(column: str, limit: int) -> str:
    """SQL for a bytea message: as it is, or shortened."""
    short = f"'X'::bytea || sha256({column}) || int8send(octet_length({column})) || substr({column}, 1, {HEAD})"
    return f"case when octet_length({column}) <= {limit} then {column} else {short} end"


def shortened(message: bytes, limit: int) -> bytes:
    if len(message) <= limit:
        return message
    return b"X" + hashlib.sha256(message).digest() + len(message).to_bytes(8, "big") + message[:HEAD]


@dataclass(frozen=True)
class Oversize:
    """What is left of a row message: its kind, its relation's oid, its size and hash, and its head."""

    kind: str
    oid: int
    size: int
    sha256: str
    head: bytes

    @classmethod
    def of(cls, message: bytes) -> Oversize:
        head = message[START:]
        size = int.from_bytes(message[33:START], "big")
        return cls(chr(head[0]), int.from_bytes(head[1:5], "big"), size, message[1:33].hex(), head)

    def letter(self, relation: Relation, position: int, ordinal: int) -> DeadLetter:
        """Its dead letter. The row keeps in state what it had before."""
        assert relation.stream is not None
        raw = cut(self.size, self.sha256, self.head)
        return DeadLetter(relation.stream, reason_of(self.size), raw, self._key(relation), str(position), ordinal)

    def _key(self, relation: Relation) -> str | None:
        """The key of the first tuple (the old one, where it was sent); None where it stands behind the head."""
        at, parts = 8, []
        for column in relation.columns:
            kind = self.head[at : at + 1]
            length = int.from_bytes(self.head[at + 1 : at + 5], "big") if kind == b"t" else 0
            value = self.head[at + 5 : at + 5 + length]
            at += 5 + length if kind == b"t" else 1
            if column.key:
                if not kind or len(value) < length:
                    return None
                parts.append(value.decode(errors="replace"))
        return "|".join(parts)
