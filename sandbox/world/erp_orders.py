"""ERP rows of orders, lines, changes, holds and reservations."""

from __future__ import annotations

from datetime import date

from .clock import local_date
from .company import ERP_ZONE, SITES
from .erp import Erp, dollars, percent
from .state import OmsOrder, Order, RootLine, Row, Segment


def order_row(erp: Erp, order_id: int, oms: OmsOrder, site: int, commit: date, backorders: bool, status: str) -> Row:
    """A new row of sales.orders; a backorder child keeps the root's dates and numbers."""
    return {
        "order_id": order_id,
        "customer_id": oms.customer.customer_id,
        "backorder_order_id": None,
        "site_id": SITES[site].site_id,
        "channel_id": oms.channel + 1,
        "order_date": local_date(oms.created, ERP_ZONE),
        "expected_delivery_date": commit,
        "customer_purchase_order_number": oms.po,
        "oms_order_number": oms.number,
        "is_undersupply_backordered": backorders,
        "picking_completed_when": None,
        "order_status": status,
        "last_edited_when": erp.clock(),
    }


def line_row(
    erp: Erp, line_id: int, order: Order, line: RootLine, qty: int, parent: Segment | None, substitute_for: int | None
) -> Row:
    """A new row of sales.order_lines; `quantity` is what was ordered and never changes."""
    return {
        "order_line_id": line_id,
        "order_id": order.order_id,
        "parent_order_line_id": parent.line_id if parent else None,
        "substitute_for_line_id": substitute_for,
        "oms_line_no": line.number,
        "stock_item_id": line.item.item_id,
        "description": line.item.name,
        "quantity": qty,
        "unit_price": dollars(line.price_cents),
        "tax_rate": percent(line.item.tax_permille),
        "picked_quantity": 0,
        "picking_completed_when": None,
        "last_edited_when": erp.clock(),
    }


def add_segment(
    erp: Erp, order: Order, line: RootLine, qty: int, parent: Segment | None = None, substitute_for: int | None = None
) -> Segment:
    """Write a new order line with its quantity still open."""
    line_id = erp.kernel.number("order_line", 5001)
    row = line_row(erp, line_id, order, line, qty, parent, substitute_for)
    segment = Segment(line_id, line, order, parent, qty, row)
    order.segments.append(segment)
    line.segments.append(segment)
    erp.write("sales.order_lines", row)
    return segment


def write_change(erp: Erp, segment: Segment, kind: str, old: int, new: int, reason: str) -> None:
    """A change that the seller made, as the ERP notes it."""
    erp.write(
        "sales.order_line_changes",
        {
            "order_line_change_id": erp.kernel.number("line_change"),
            "order_line_id": segment.line_id,
            "change_kind": kind,
            "old_quantity": old,
            "new_quantity": new,
            "initiator": "seller",
            "reason": reason,
            "changed_when": erp.clock(),
        },
    )


def write_hold(erp: Erp, order: Order, kind: str) -> Row:
    """A hold placed now; released through `Erp.write` of the same row."""
    row: Row = {
        "order_hold_id": erp.kernel.number("hold"),
        "order_id": order.order_id,
        "hold_kind": kind,
        "placed_when": erp.clock(),
        "released_when": None,
        "released_by": None,
    }
    erp.write("sales.order_holds", row)
    return row


def write_reservation(erp: Erp, segment: Segment, site: int, qty: int) -> Row:
    """A hard reservation made now."""
    row: Row = {
        "reservation_id": erp.kernel.number("reservation"),
        "order_line_id": segment.line_id,
        "site_id": SITES[site].site_id,
        "quantity": qty,
        "kind": "hard",
        "reserved_when": erp.clock(),
        "released_when": None,
    }
    erp.write("sales.reservations", row)
    return row


def end_reservations(erp: Erp, segment: Segment, site: int | None = None) -> None:
    """Close the open reservations of a segment (at one site, or all)."""
    keep = []
    for where, row in segment.reserved:
        if site is None or where == site:
            row["released_when"] = erp.clock()
            erp.write("sales.reservations", row)
        else:
            keep.append((where, row))
    segment.reserved = keep
