"""What a file's content is: rows to land, dead letters, and whether it is all there. One entry point for every format.

The same parsers serve a first reading and a replay of a dead letter, whose `position` holds the context that its raw
bytes lack (the CSV header, the ISA and GS around a transaction).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from connectors.config_kinds import SftpStream
from connectors.documents import Row
from connectors.model import DeadLetter

LARGE_FLOOD = 20


@dataclass
class Envelope:
    """One accepted interchange: its key between the parties, its bytes, and which rows came from it."""

    sender: str
    receiver: str
    control: str
    raw: bytes
    rows: list[Row] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)


@dataclass
class Parsed:
    """`cut`: why the content looks unfinished, None when it is whole. Rows of X12 stand in `envelopes`."""

    rows: list[Row] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    cut: str | None = None


Parser = Callable[[SftpStream, str, bytes], Parsed]


def where(file: str, level: str, **more: Any) -> str:
    """The position of a dead letter from a file, as JSON: what a replay needs besides the raw bytes."""
    return msgspec.json.encode(
        {"file": file, "level": level} | {k: v for k, v in more.items() if v is not None}
    ).decode()


def file_letter(stream: str, path: str, reason: str, raw: bytes, level: str = "file") -> DeadLetter:
    """A whole file as a dead letter."""
    return DeadLetter(stream, reason, raw, key=path, position=where(path, level))


def without_bom(data: bytes) -> bytes:
    """Content without a UTF-8 byte order mark, which some systems put first."""
    return data.removeprefix(b"\xef\xbb\xbf")


def wrong_encoding(data: bytes) -> str | None:
    """Why content cannot be the text it should be; None when nothing speaks against it."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "the file is UTF-16, not UTF-8"
    if data[:4] == b"PK\x03\x04" or data[:2] == b"\x1f\x8b":
        return "the file is an archive"
    return "the file has NUL bytes: it is not text" if b"\0" in data else None


def flooded(stream: str, path: str, data: bytes, found: Parsed) -> Parsed:
    """A file in which every one of many records is faulty is one faulty file, not a flood of dead letters."""
    if found.rows or len(found.dead) < LARGE_FLOOD:
        return found
    reason = f"every record of the file is faulty: {found.dead[0].reason}"
    return Parsed(dead=[file_letter(stream, path, reason, data)], cut=found.cut)
