"""The 945 warehouse shipping advice (004010) as the neutral ship confirmation.

Codes, quantities and times stay as sent. A faulty transaction raises MapError; it never yields half a document.
"""

from typing import Any

from connectors.edi.envelope import Group, Interchange, Transaction
from connectors.edi.x12 import Segment, utf8


class MapError(ValueError):
    """A transaction that is well enveloped but is not the document it claims to be."""


def ship_confirmation(interchange: Interchange, group: Group, transaction: Transaction, file: str) -> dict[str, Any]:
    """One ST 945 as a neutral document; `site` is the N1*SF code, or the sender when the advice names no site.

    Raises MapError (no W06, no shipment number, a line without quantity, ...) or X12Error (text that is not UTF-8).
    """
    if transaction.kind != "945":
        raise MapError(f"is a {transaction.kind or 'nameless'} transaction, not a 945")
    sender = utf8(interchange.sender.partition(":")[2])
    found: dict[str, Any] = {
        "document": "ship_confirmation",
        "site": sender,
        "sender": sender,
        "interchange_control": interchange.control,
        "group_control": utf8(group.control),
        "transaction_control": utf8(transaction.control),
        "purpose": None,
        "order_number": None,
        "shipment_number": None,
        "release": None,
        "ship_date": None,
        "ship_time": None,
        "tracking_number": None,
        "carrier_code": None,
        "service": None,
        "ship_to": None,
        "lines": [],
        "total_qty": None,
        "file": file,
    }
    line: dict[str, Any] | None = None
    for segment in transaction.body[1:-1]:
        line = _read(segment, found, line)
    _check(found)
    return found


def doc_key(document: dict[str, Any]) -> str:
    """site|interchange|transaction|shipment: unique per advice, so that a void does not replace what it voids."""
    parts = (document["site"], document["interchange_control"], document["transaction_control"])
    return "|".join((*parts, document["shipment_number"]))


def _read(segment: Segment, found: dict[str, Any], line: dict[str, Any] | None) -> dict[str, Any] | None:
    """Take one segment into the document; returns the line that following segments belong to."""
    match segment.tag:
        case "W06":
            _once(found, "purpose", segment.element(1) or "N")
            found["order_number"] = _text(segment, 2)
            found["ship_date"] = _text(segment, 3)
            found["shipment_number"] = _text(segment, 4)
            found["release"] = _text(segment, 5)
        case "N1" if segment.element(1) == "ST":
            found["ship_to"] = _text(segment, 4)
        case "N1" if segment.element(1) == "SF":
            found["site"] = _text(segment, 4) or found["site"]
        case "N9" if line is None and segment.element(1) == "RE":
            found["release"] = _text(segment, 2) or found["release"]
        case "N9" if line is None and segment.element(1) == "CN":
            found["tracking_number"] = _text(segment, 2)
        case "N9" if line is not None and segment.element(1) == "LI":
            line["order_line"] = _text(segment, 2)
        case "G62" if segment.element(1) == "11":
            found["ship_date"] = _text(segment, 2) or found["ship_date"]
            found["ship_time"] = _text(segment, 4)
        case "W27":
            found["carrier_code"] = _text(segment, 2)
            found["service"] = _text(segment, 3)
        case "LX":
            line = {
                "assigned": _text(segment, 1),
                "handling_unit": None,
                "sku": None,
                "order_line": None,
                "qty_ordered": None,
                "qty_shipped": None,
                "qty_difference": None,
                "uom": None,
                "status": None,
            }
            found["lines"].append(line)
        case "MAN" if line is not None:
            line["handling_unit"] = _text(segment, 2)
        case "W12":
            if line is None:
                raise MapError("a W12 stands before any LX")
            _item(segment, line)
        case "W03":
            found["total_qty"] = _text(segment, 1)
            line = None
    return line


def _item(segment: Segment, line: dict[str, Any]) -> None:
    _once(line, "status", segment.element(1))
    line["qty_ordered"] = _text(segment, 2)
    line["qty_shipped"] = _text(segment, 3)
    line["qty_difference"] = _text(segment, 4)
    line["uom"] = _text(segment, 5)
    pairs = {segment.element(at): _text(segment, at + 1) for at in (7, 9) if segment.element(at)}
    line["sku"] = pairs.get("VN") or next(iter(pairs.values()), None)


def _once(target: dict[str, Any], name: str, value: str) -> None:
    if target[name] is not None:
        raise MapError(f"has two {name} values where one belongs")
    target[name] = utf8(value)


def _check(found: dict[str, Any]) -> None:
    """What a ship confirmation cannot do without, whoever reads it next."""
    if found["purpose"] is None:
        raise MapError("has no W06")
    for name in ("order_number", "shipment_number"):
        if not found[name]:
            raise MapError(f"has no {name.replace('_', ' ')}")
    for number, line in enumerate(found["lines"], 1):
        if line["status"] is None:
            raise MapError(f"line {number} has no W12")
        for name in ("qty_ordered", "qty_shipped", "qty_difference"):
            if line[name] is not None and not _is_number(line[name]):
                raise MapError(f"line {number}: {name} is not a number")
        if line["qty_shipped"] is None:
            raise MapError(f"line {number} has no shipped quantity")
    if found["purpose"] != "V" and not found["lines"]:
        raise MapError("has no lines")


def _is_number(text: str) -> bool:
    """X12 type R: digits with at most one decimal point and a leading minus (X12.6, 3.5.1.2)."""
    digits = text.removeprefix("-").replace(".", "", 1)
    return digits.isascii() and digits.isdigit()


def _text(segment: Segment, number: int) -> str | None:
    return utf8(segment.element(number)) or None
