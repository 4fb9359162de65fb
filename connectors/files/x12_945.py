"""A file of X12 945s: rows per accepted interchange, and a dead letter for every piece that cannot be trusted."""

from typing import Any

import msgspec

from connectors.config_kinds import SftpStream
from connectors.documents import Row
from connectors.edi.envelope import Fault, Group, Interchange, Transaction, interchanges
from connectors.edi.x12 import ISA_LENGTH, X12Error, utf8
from connectors.edi.x12_945 import MapError, doc_key, ship_confirmation
from connectors.files.parsed import Envelope, Parsed, where, without_bom
from connectors.model import DeadLetter


def parse_x12_945(stream: SftpStream, path: str, data: bytes) -> Parsed:
    """Every interchange of a file. A bad envelope costs the interchange, a bad group the group, a bad transaction
    itself; an interchange that ends the file without its IEA makes the file `cut`."""
    text = without_bom(data).decode("latin-1")
    found = Parsed()
    for interchange in interchanges(text):
        piece = _Piece(stream, path, text, interchange)
        if interchange.is_cut:
            found.cut = interchange.faults[0].reason
        if interchange.is_test and not stream.accept_test and interchange.groups:
            reason = "the interchange is a test (ISA15 is T)"
            found.dead.append(
                piece.letter(Fault("test", reason, interchange.start, interchange.end, interchange.control))
            )
            continue
        dead = [piece.letter(fault) for fault in interchange.faults]
        if not interchange.groups:
            found.dead += dead
            continue
        found.envelopes.append(piece.envelope(dead))
    return found


class _Piece:
    """One interchange of a file, able to cut its parts out as bytes."""

    def __init__(self, stream: SftpStream, path: str, text: str, interchange: Interchange) -> None:
        self.stream, self.path, self.text, self.interchange = stream, path, text, interchange
        self.name = path.rpartition("/")[2]

    def envelope(self, dead: list[DeadLetter]) -> Envelope:
        made = self.interchange
        raw = self.raw(made.start, made.end)
        envelope = Envelope(made.sender, made.receiver, made.control, raw, dead=dead)
        for group in made.groups:
            for transaction in group.transactions:
                try:
                    envelope.rows.append(self.row(group, transaction))
                except (MapError, X12Error) as error:
                    fault = Fault("transaction", f"the transaction {error}", transaction.start, transaction.end)
                    envelope.dead.append(self.letter(fault, transaction.control, group))
        return envelope

    def row(self, group: Group, transaction: Transaction) -> Row:
        utf8(self.text[transaction.start : transaction.end])  # all of it, not only what the document takes
        document = ship_confirmation(self.interchange, group, transaction, self.name)
        return doc_key(document), msgspec.json.encode(document).decode("utf-8"), None

    def letter(self, fault: Fault, control: str = "", group: Group | None = None) -> DeadLetter:
        """The dead letter of a fault: its exact bytes, and in its position the envelope that a replay puts around."""
        made = self.interchange
        context: dict[str, Any] = {"start": fault.start, "end": fault.end}
        inside = fault.level in ("transaction", "group")
        if inside and made.separators is not None:
            context["isa"] = self.text[made.start : made.start + ISA_LENGTH]
        if fault.level == "transaction":
            gs = group.gs if group else _group_of(made, fault)
            context["gs"] = self.text[gs.start : gs.end] if gs else None
        parts = [self.path, made.control, fault.group or (group.control if group else ""), control or fault.control]
        key = "|".join(part for part in dict.fromkeys(parts) if part)
        return DeadLetter(
            self.stream.name, fault.reason, self.raw(fault.start, fault.end), key=key,
            position=where(self.path, fault.level, **context), ordinal=fault.start,
        )  # fmt: skip

    def raw(self, start: int, end: int) -> bytes:
        return self.text[start:end].encode("latin-1")


def _group_of(interchange: Interchange, fault: Fault) -> Any:
    return next((group.gs for group in interchange.groups if group.control == fault.group), None)


def enclosed(raw: bytes, position: dict[str, Any]) -> bytes:
    """A group or transaction with an envelope around it again: a replay reads it as if it had come in a file."""
    if "isa" not in position:
        return raw
    isa = position["isa"].encode("latin-1")
    element, terminator = isa[3:4], isa[105:106]
    control = isa[90:99]
    if position["level"] == "transaction" and position.get("gs"):
        gs = position["gs"].encode("latin-1")
        number = gs.rstrip(terminator).split(element)[6]
        raw = gs + raw + element.join((b"GE", b"1", number)) + terminator
    return isa + raw + element.join((b"IEA", b"1", control)) + terminator
