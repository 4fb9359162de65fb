"""Facts in short form, spread into canonical rows: how hand-made cases and generated data are written.

A facts mapping has orders, lines, releases, shipments (named, by their keys), changes and invoices. Spreading is
mechanical: it copies, names keys and follows `root`; it knows no KPI rule. Instants are naive UTC.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]
Rows = dict[str, list[Row]]
ENTITY = "LE"
SITES = {"EWR": "America/New_York", "ORD": "America/Chicago", "LAX": "America/Los_Angeles"}


def key(name: str | None) -> str | None:
    """The canonical key of a short name."""
    return None if name is None else f"{ENTITY}|erp|{name}"


def spread(facts: Mapping[str, Any]) -> Rows:
    """Canonical rows by table; columns that the facts do not state are left out."""
    rows: Rows = defaultdict(list)
    rows["can_legal_entity"].append(
        {"legal_entity_key": key(ENTITY), "legal_entity_code": ENTITY, "zone": facts.get("zone", "America/Chicago")}
    )
    for site, zone in SITES.items():
        rows["can_site"].append(
            {"site_key": key(site), "site_code": site, "zone": zone, "legal_entity_key": key(ENTITY)}
        )
    orders, lines = facts.get("orders", {}), facts.get("lines", {})
    for name, order in orders.items():
        rows["can_sales_order"].append(_order(name, order))
    for name, line in lines.items():
        rows["can_order_line"].append(_line(name, line, orders))
    for number, change in enumerate(facts.get("changes", []), 1):
        rows["can_line_change"].append(_change(number, change, lines))
    for name, release in facts.get("releases", {}).items():
        rows["can_release"].extend(_release(name, release, orders, lines))
    for name, shipment in facts.get("shipments", {}).items():
        _ship(rows, name, shipment, orders, lines)
    for name, invoice in facts.get("invoices", {}).items():
        _invoice(rows, name, invoice)
    return dict(rows)


def _order(name: str, order: Row) -> Row:
    received = order.get("received")
    return {
        "order_key": key(name),
        "root_order_key": key(order.get("root", name)),
        "parent_order_key": key(order.get("root")),
        "chain_depth": order.get("depth", 1 if "root" in order else 0),
        "order_number": name,
        "customer_category": order.get("category", "Retail"),
        "site_code": order.get("site", "EWR"),
        "order_received_utc": received,
        "order_received_utc_min": order.get("received_min", received),
        "order_received_utc_max": order.get("received_max", received),
        "first_commit_date": order["commit"],
        "current_commit_date": order.get("current_commit", order["commit"]),
        "commit_deadline_utc": order["deadline"],
        "delivery_deadline_utc": order.get("delivery_deadline", order["deadline"]),
        "is_in_scope": order.get("in_scope", True),
    }


def _root(line: str, lines: Mapping[str, Row]) -> str:
    return str(lines[line].get("root", line))


def _line(name: str, line: Row, orders: Mapping[str, Row]) -> Row:
    return {
        "order_line_key": key(name),
        "order_key": key(line["order"]),
        "root_order_key": key(orders[line["order"]].get("root", line["order"])),
        "root_order_line_key": key(line.get("root", name)),
        "parent_order_line_key": key(line.get("root")),
        "substitutes_order_line_key": key(line.get("substitutes")),
        "item_group": line.get("group", "Toys"),
        "ordered_original_qty": line["qty"],
        "unit_price": line.get("price", 1),
        "base_qty_factor": 1,
        "is_goods": line.get("is_goods", True),
    }


def _change(number: int, change: Row, lines: Mapping[str, Row]) -> Row:
    return {
        "line_change_key": key(f"change-{number}"),
        "order_line_key": key(change["line"]),
        "root_order_line_key": key(_root(change["line"], lines)),
        "change_kind": change["kind"],
        "qty_delta": change["delta"],
        "initiator": change["by"],
        "changed_utc": change["at"],
        "changed_utc_min": change["at"],
        "changed_utc_max": change["at"],
    }


def _release(name: str, release: Row, orders: Mapping[str, Row], lines: Mapping[str, Row]) -> list[Row]:
    order = release["order"]
    return [
        {
            "release_line_key": key(f"{name}-{line}"),
            "release_key": key(f"{name}-{release.get('site', 'EWR')}"),
            "release_event_key": key(name),
            "order_key": key(order),
            "order_line_key": key(line),
            "root_order_key": key(orders[order].get("root", order)),
            "root_order_line_key": key(_root(line, lines)),
            "chain_depth": orders[order].get("depth", 1 if "root" in orders[order] else 0),
            "released_qty": lines[line]["qty"],
            "released_utc": release.get("at"),
            "released_utc_min": release.get("at"),
            "released_utc_max": release.get("at"),
        }
        for line in release["lines"]
    ]


def _ship(rows: Rows, name: str, shipment: Row, orders: Mapping[str, Row], lines: Mapping[str, Row]) -> None:
    order = orders[shipment["order"]]
    root = key(order.get("root", shipment["order"]))
    at, delivered = shipment.get("at"), shipment.get("delivered")
    instants = {
        "shipped_utc": at,
        "shipped_utc_min": shipment.get("at_min", at),
        "shipped_utc_max": shipment.get("at_max", at),
        "is_void": shipment.get("is_void", False),
    }
    rows["can_shipment"].append(
        {
            "shipment_key": key(name),
            "order_key": key(shipment["order"]),
            "root_order_key": root,
            "shipment_number": name,
            "site_code": shipment.get("site", order.get("site", "EWR")),
            "customer_category": order.get("category", "Retail"),
            "has_tracking": shipment.get("has_tracking", True),
            "shipped_date": at.date() if at else None,
            "delivered_utc": delivered,
            "delivered_utc_min": shipment.get("delivered_min", delivered),
            "delivered_utc_max": shipment.get("delivered_max", delivered),
            "delivered_date": shipment.get("delivered_date", delivered.date() if delivered else None),
            **instants,
        }
    )
    for number, (line, quantity) in enumerate(shipment["lines"].items(), 1):
        rows["can_shipment_line"].append(
            {
                "shipment_line_key": key(f"{name}-{number}"),
                "shipment_key": key(name),
                "order_line_key": key(line),
                "root_order_key": root,
                "root_order_line_key": key(_root(line, lines)),
                "release_event_key": key(shipment.get("event")),
                "shipped_qty": quantity,
                **instants,
            }
        )


def _invoice(rows: Rows, name: str, invoice: Row) -> None:
    created, is_credit = invoice.get("created"), invoice.get("is_credit", False)
    head = {"site_code": invoice.get("site", "EWR"), "customer_category": invoice.get("category", "Retail")}
    rows["can_invoice"].append(
        {
            "invoice_key": key(name),
            "invoice_number": name,
            "shipment_key": key(invoice.get("shipment")),
            "posting_date": invoice["posted"],
            "created_utc": created,
            "created_utc_min": invoice.get("created_min", created),
            "created_utc_max": invoice.get("created_max", created),
            "is_credit": is_credit,
            **head,
        }
    )
    kind = "credit" if is_credit else "invoice"
    for number, line in enumerate(invoice.get("lines", []), 1):
        rows[f"can_{kind}_line"].append(
            {
                f"{kind}_line_key": key(f"{name}-{number}"),
                "invoice_key": key(name),
                "order_line_key": key(line.get("line")),
                "item_group": line.get("group", "Toys"),
                "posting_date": invoice["posted"],
                "credited_qty" if is_credit else "invoiced_qty": line.get("qty", 0),
                "net_amt": line["net"],
                "tax_amt": line.get("tax", 0),
                "cogs_amt": line["cogs"],
                **head,
            }
        )
