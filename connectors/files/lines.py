"""JSON lines and CSV: one document per record, every value as sent, each faulty record a dead letter of its own."""

import csv
import re
from collections.abc import Iterator

import msgspec

from connectors.config_kinds import SftpStream
from connectors.documents import DocumentError, Row, key_of, read_object, with_field
from connectors.files.parsed import Parsed, file_letter, flooded, where, without_bom, wrong_encoding
from connectors.model import DeadLetter
from connectors.size import LIMIT_BYTES, too_large

csv.field_size_limit(LIMIT_BYTES)


def parse_jsonl(stream: SftpStream, path: str, data: bytes) -> Parsed:
    """One JSON object per line, RFC 8259 in UTF-8. The document is the line as sent with `file` added.

    A last line without its line feed makes the file `cut`; blank lines are nothing.
    """
    reason = wrong_encoding(data)
    if reason:
        return Parsed(dead=[file_letter(stream.name, path, reason, data)])
    name = path.rpartition("/")[2]
    found = Parsed(cut=_cut(data))
    for number, line in enumerate(_lines(without_bom(data)), 1):
        if not line.strip():
            continue
        if len(line) > LIMIT_BYTES:
            found.dead.append(too_large(stream.name, line, path, where(path, "line", line=number), number))
            continue
        try:
            fields = read_object(line)
            found.rows.append(
                (key_of(fields, stream.key), with_field(line, fields, "file", name).decode("utf-8"), None)
            )
        except DocumentError as error:
            found.dead.append(_letter(stream, path, number, f"the line {error}", line))
    return flooded(stream.name, path, data, found)


def _lines(data: bytes) -> Iterator[bytes]:
    """One after the other: a list of them would be the file once more."""
    at = 0
    while at <= len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        yield data[at:end]
        at = end + 1


def parse_csv(stream: SftpStream, path: str, data: bytes) -> Parsed:
    """RFC 4180 with a header line; the document has every cell as text under its column's name, and `file`.

    The header must hold the key's columns once each. A row with another number of cells, or with bytes that are not
    UTF-8, is a dead letter; a quote that never closes ends the file in one.
    """
    reason = wrong_encoding(data)
    if reason:
        return Parsed(dead=[file_letter(stream.name, path, reason, data)])
    found = Parsed(cut=_cut(data))
    records = _records(without_bom(data).decode("utf-8", "surrogateescape"))
    try:
        header = next(records, ("", []))[1]
        reason = _header_fault(header, stream)
        if reason:
            return Parsed(dead=[file_letter(stream.name, path, reason, data)], cut=found.cut)
        for number, (text, cells) in enumerate(records, 2):
            if not any(cells):
                continue
            if len(text) > LIMIT_BYTES:
                raw = text.encode("utf-8", "surrogateescape")
                place = where(path, "row", line=number, header=header)
                found.dead.append(too_large(stream.name, raw, path, place, number))
                continue
            try:
                if not text.endswith("\n"):
                    raise DocumentError("has no line end: it may be cut short")
                found.rows.append(csv_row(stream, path, header, cells))
            except DocumentError as error:
                raw = text.encode("utf-8", "surrogateescape")
                found.dead.append(_letter(stream, path, number, f"the row {error}", raw, header))
    except csv.Error as error:
        found.dead.append(file_letter(stream.name, path, f"the file is not CSV to its end: {error}", data))
    return flooded(stream.name, path, data, found)


def csv_row(stream: SftpStream, path: str, header: list[str], cells: list[str]) -> Row:
    """One row as a document. Raises DocumentError for a wrong number of cells or text that is not UTF-8."""
    if len(cells) != len(header):
        raise DocumentError(f"has {len(cells)} cells, the header has {len(header)}")
    fields = dict(zip(header, cells, strict=True))
    try:
        document = msgspec.json.encode({**fields, "file": path.rpartition("/")[2]}).decode("utf-8")
    except (UnicodeEncodeError, ValueError) as error:
        raise DocumentError("is not UTF-8") from error
    return key_of(fields, stream.key), document, None


def csv_cells(raw: bytes) -> list[str]:
    """The cells of one raw record, as `parse_csv` reads them. Raises DocumentError when it is not one record."""
    try:
        records = [cells for _, cells in _records(raw.decode("utf-8", "surrogateescape"))]
    except csv.Error as error:
        raise DocumentError(f"is not CSV: {error}") from error
    if len(records) != 1:
        raise DocumentError(f"is {len(records)} records")
    return records[0]


def _records(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each CSV record with its own text, which may span lines."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    reader = csv.reader(lines, strict=True)
    before = 0
    for cells in reader:
        yield "".join(lines[before : reader.line_num]), cells
        before = reader.line_num


def _header_fault(header: list[str], stream: SftpStream) -> str | None:
    missing = [name for name in stream.key if header.count(name) != 1]
    if missing:
        return f"the header does not hold {', '.join(missing)} exactly once"
    if len(set(header)) != len(header) or "file" in header:
        return "the header repeats a column, or has one named file"
    return "the header is not UTF-8" if any("\udc80" <= c <= "\udcff" for name in header for c in name) else None


def _cut(data: bytes) -> str | None:
    return None if data.endswith(b"\n") else "the last line has no line end"


def _letter(
    stream: SftpStream, path: str, number: int, reason: str, raw: bytes, header: list[str] | None = None
) -> DeadLetter:
    position = where(path, "row" if header else "line", line=number, header=header)
    return DeadLetter(stream.name, reason, raw, key=path, position=position, ordinal=number)
