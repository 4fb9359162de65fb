"""How large one record may be, and what is kept of one that is larger.

A record is a row, a document, a line or a transaction of a partner's file. Up to LIMIT_BYTES it lands, within the
memory that docs/operations.md states. A larger one is a dead letter that holds its size, its hash and its head; what
stands behind it lands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from connectors.model import DeadLetter

T = TypeVar("T", bound=Sized)
LIMIT_BYTES = 64 << 20
PART_BYTES = 16 << 20
"""What is handled at once where records are written one after another."""
HEAD_BYTES = 4096
KEPT_BYTES = 4 << 20
"""A dead letter keeps up to this much raw; of more, the head."""
MARK = b'{"_cut":'


def reason_of(size: int) -> str:
    return f"it has {size:,} bytes, more than the {LIMIT_BYTES >> 20} MiB that one record may have"


def cut(size: int, sha256: str, head: bytes) -> bytes:
    """What a dead letter keeps of a record too large to be kept whole."""
    described = {"_cut": True, "bytes": size, "sha256": sha256, "head": head[:HEAD_BYTES].decode(errors="replace")}
    return json.dumps(described, ensure_ascii=False).encode()


def is_cut(raw: bytes) -> bool:
    """Whether the raw of a dead letter is only the head of what was sent."""
    return raw.startswith(MARK)


def kept(raw: bytes) -> bytes:
    """The raw of a dead letter as it is stored: whole, or cut where it is large."""
    return raw if len(raw) <= KEPT_BYTES else cut(len(raw), hashlib.sha256(raw).hexdigest(), raw)


def too_large(
    stream: str, raw: bytes, key: str | None = None, position: str | None = None, ordinal: int | None = None
) -> DeadLetter:
    """The dead letter of a record that is over the limit."""
    described = cut(len(raw), hashlib.sha256(raw).hexdigest(), raw)
    return DeadLetter(stream, reason_of(len(raw)), described, key, position, ordinal)


def parts(records: Iterable[T], weights: Iterable[int], most: int = PART_BYTES) -> Iterator[list[T]]:
    """The records in order, in lists that weigh at most `most` bytes together, or are one record."""
    part: list[T] = []
    total = 0
    for record, weight in zip(records, weights, strict=True):
        if part and total + weight > most:
            yield part
            part, total = [], 0
        part.append(record)
        total += weight
    if part:
        yield part
