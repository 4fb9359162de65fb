"""How each kind of system reads one of its dead letters again. Pure: no landing file, no network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from connectors.config_model import System
from connectors.documents import DocumentError, Row


@dataclass(frozen=True)
class Letter:
    """An open dead letter with its raw bytes."""

    id: str
    stream: str
    key: str | None
    position: str | None
    reason: str
    raw: bytes
    first_seen: datetime

    def place(self) -> dict[str, Any]:
        """The position as the connector wrote it, {} when it is not JSON."""
        try:
            found = msgspec.json.decode(self.position or "{}")
        except msgspec.DecodeError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def is_read_anew(self) -> bool:
        """Whether a replay lets the source be read again, so that the raw is not needed."""
        return self.place().get("level") == "unread"


@dataclass(frozen=True)
class Verdict:
    """What reading again gave. Closed: `rows` may land and the letter is done; `is_left`: it is when the source was
    read again. `on_close` runs in the transaction that closes it."""

    rows: list[Row] = field(default_factory=list)
    is_closed: bool = False
    is_possible: bool = True
    is_left: bool = False
    reason: str = ""
    on_close: Callable[[Any], None] | None = None


CUT = Verdict(is_possible=False, reason="only the head of it was kept, because of its size: correct it at the source")
Replayer = Callable[[System, Letter], Verdict]


def replayer_of(system: System) -> Replayer:
    """The replayer of a system's kind; a kind without one refuses each letter with a reason."""
    return REPLAYERS.get(system.read.kind, _refused)


def _refused(system: System, letter: Letter) -> Verdict:
    reason = (
        f"a {system.read.kind} record is not read again from its letter: correct it at the source, which sends it anew"
    )
    return Verdict(is_possible=False, reason=reason)


def _rest(system: System, letter: Letter) -> Verdict:
    from connectors.rest.reader import parse_records

    try:
        stream = system.stream(letter.stream)
    except KeyError as error:
        return Verdict(is_possible=False, reason=str(error.args[0]))
    rows, dead = parse_records(stream, [letter.raw])
    return Verdict(reason=dead[0].reason) if dead else Verdict(rows, is_closed=True)


def _files(system: System, letter: Letter) -> Verdict:
    from connectors.files.formats import parse
    from connectors.files.lines import csv_cells, csv_row
    from connectors.files.registry import forget
    from connectors.files.x12_945 import enclosed

    try:
        stream = system.stream(letter.stream)
    except KeyError as error:
        return Verdict(is_possible=False, reason=str(error.args[0]))
    place = letter.place()
    path, level = str(place.get("file", letter.key or "")), place.get("level")
    if level in ("unread", "name"):
        return Verdict(is_closed=True, is_left=level == "unread", on_close=lambda db: forget(db, stream.name, path))
    seen = str(place.get("seen") or f"{letter.first_seen.isoformat()}Z")
    if level == "row":
        try:
            key, document, _ = csv_row(stream, path, place["header"], csv_cells(letter.raw))
            return Verdict([(key, document, seen)], is_closed=True)
        except (DocumentError, KeyError) as error:
            return Verdict(reason=f"the row {error}")
    found = parse(stream, path, enclosed(letter.raw, place))
    rows = found.rows + [row for envelope in found.envelopes for row in envelope.rows]
    dead = found.dead + [one for envelope in found.envelopes for one in envelope.dead]
    if dead:
        return Verdict(reason=dead[0].reason)
    return Verdict([(key, document, seen) for key, document, _ in rows], is_closed=True)


REPLAYERS: dict[str, Replayer] = {"rest": _rest, "sftp": _files}
