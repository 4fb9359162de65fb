"""Records to neutral documents: (doc_key, doc, updated_at_raw) rows, one builder per document kind.

A builder adds the kind and keeps every value as sent; it never guesses. What it cannot read raises DocumentError, and
the record becomes a dead letter.
"""

import re
from collections.abc import Callable, Sequence

import msgspec

from connectors.shape import json_fault

LARGE_BYTES = 1 << 20
SMALL_BYTES = 10_000
Row = tuple[str, str | None, str | None]
Builder = Callable[[bytes], bytes]

_anything = msgspec.json.Decoder()
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SURROGATE = re.compile(rb"\\\\u[dD][89abcdefABCDEF]")
_builders: dict[str, Builder] = {}


class DocumentError(ValueError):
    """A record that cannot become the document it should be; the message never repeats its content."""


def register_document(kind: str, builder: Builder) -> None:
    """Give a document kind its own builder; a kind without one is the record as sent, with the kind added."""
    _builders[kind] = builder


def document_row(kind: str, record: bytes, key: Sequence[str], updated_at: str | None = None) -> Row:
    """One landed row from one raw JSON record: key parts joined with `|`, the document, the source's own time stamp."""
    found = read_object(record)
    doc_key = key_of(found, key)
    stamp = found.get(updated_at) if updated_at else None
    document = _builders[kind](record) if kind in _builders else with_field(record, found, "document", kind, first=True)
    return doc_key, document.decode("utf-8"), stamp if isinstance(stamp, str) else None


def read_object(record: bytes) -> dict:
    """A JSON object, fully read; of a large one the members that are small, and the rest raw. Raises DocumentError for
    a list, a cut text, bytes that are not UTF-8, and for one that is too deep or too full to be walked.
    """
    fault = json_fault(record)
    if fault is not None:
        raise DocumentError(fault)
    try:
        found = _large(record) if len(record) > LARGE_BYTES else _anything.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DocumentError(f"is not JSON: {error}") from error
    except RecursionError as error:
        raise DocumentError("is nested too deeply") from error
    if not isinstance(found, dict):
        raise DocumentError("is not a JSON object")
    return found


def _large(record: bytes) -> object:
    """What is built of a record takes many times its bytes, so that of a large one only what is small is built."""
    record.decode("utf-8")
    if _SURROGATE.search(record) or record.lstrip()[:1] != b"{":
        return _anything.decode(record)
    return {
        name: _anything.decode(raw) if len(memoryview(raw)) <= SMALL_BYTES else raw
        for name, raw in _fields.decode(record).items()
    }


def key_of(found: dict, key: Sequence[str]) -> str:
    """The values of the key fields joined with `|`: texts and whole numbers, the first not empty. Of several, one that
    holds a `|` has a backslash before it, so that two keys never give one text."""
    parts: list[str] = []
    for name in key:
        value = found.get(name)
        if type(value) is not str and type(value) is not int:  # a bool is neither, and a subclass never comes from JSON
            raise DocumentError(f"has no usable key field {name!r}")
        parts.append(str(value))
    if not parts or not parts[0]:
        raise DocumentError(f"has an empty key field {key[0] if key else ''!r}")
    if len(parts) > 1:
        parts = [part.replace("\\", "\\\\").replace("|", "\\|") for part in parts]
    return "|".join(parts)


def with_field(record: bytes, found: dict, name: str, value: str, *, first: bool = False) -> bytes:
    """The record with one text field set, all other bytes as sent: numbers keep their digits."""
    pair = msgspec.json.encode(name) + b":" + msgspec.json.encode(value)
    body = record.strip()
    if name in found:
        fields = _fields.decode(body)
        fields[name] = msgspec.Raw(msgspec.json.encode(value))
        return msgspec.json.encode(fields)
    if not found:
        return b"{" + pair + b"}"
    return b"{" + pair + b"," + body[1:] if first else body[:-1] + b"," + pair + b"}"
