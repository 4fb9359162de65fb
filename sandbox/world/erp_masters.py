"""The ERP's master and code tables as they stand when history begins."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from .company import (
    BUYING_GROUPS,
    CATEGORIES,
    CHANNEL_NAMES,
    CHANNELS,
    DELIVERY_METHODS,
    ENTITY,
    ERP_ZONE,
    FAMILIES,
    SITES,
    SUPPLIER_CATEGORIES,
    TRANSACTION_TYPES,
)
from .erp import Erp, dollars, percent
from .items import Item
from .parties import Customer, Supplier
from .state import Row


def write_codes(erp: Erp) -> None:
    """Legal entity, sites and code lists."""
    erp.write("application.legal_entities", {**ENTITY, "zone": ERP_ZONE})
    for site in SITES:
        row = {"site_id": site.site_id, "site_code": site.code, "site_name": site.name, "zone": site.zone}
        erp.write("application.sites", {**row, "legal_entity_id": 1})
    for n, code in enumerate(CHANNELS, 1):
        erp.write("application.channels", {"channel_id": n, "channel_code": code, "channel_name": CHANNEL_NAMES[n - 1]})
    for table, stem, names in (
        ("application.delivery_methods", "delivery_method", DELIVERY_METHODS),
        ("sales.customer_categories", "customer_category", CATEGORIES),
        ("sales.buying_groups", "buying_group", BUYING_GROUPS),
        ("purchasing.supplier_categories", "supplier_category", SUPPLIER_CATEGORIES),
    ):
        for n, name in enumerate(names, 1):
            erp.write(table, {f"{stem}_id": n, f"{stem}_name": name})
    for n, name in TRANSACTION_TYPES.items():
        erp.write("application.transaction_types", {"transaction_type_id": n, "transaction_type_name": name})
    for n, family in enumerate(FAMILIES, 1):
        erp.write("warehouse.stock_groups", {"stock_group_id": n, "stock_group_name": family[0]})


def write_customers(erp: Erp, customers: list[Customer]) -> None:
    """One row per customer, in id order."""
    for c in sorted(customers, key=lambda c: c.customer_id):
        erp.write(
            "sales.customers",
            {
                "customer_id": c.customer_id,
                "customer_name": c.name,
                "bill_to_customer_id": c.bill_to,
                "customer_category_id": c.category + 1,
                "buying_group_id": c.buying_group,
                "credit_limit": None if c.credit_limit_cents is None else dollars(c.credit_limit_cents),
                "is_on_credit_hold": False,
                "payment_days": c.payment_days,
                "phone_number": c.phone,
                "delivery_address_line": c.address,
                "delivery_postal_code": c.postal_code,
                "delivery_zone": c.zone,
                "account_opened_date": c.opened,
                "row_version": 1,
                "last_edited_when": datetime(c.opened.year, c.opened.month, c.opened.day, 9, 12, 5),
            },
        )


def write_suppliers(erp: Erp, suppliers: list[Supplier]) -> None:
    """One row per supplier."""
    for s in suppliers:
        erp.write(
            "purchasing.suppliers",
            {
                "supplier_id": s.supplier_id,
                "supplier_name": s.name,
                "supplier_category_id": s.category + 1,
                "supplier_reference": f"SR-{s.supplier_id * 7919 % 100_000:05d}",
                "payment_days": s.payment_days,
                "phone_number": s.phone,
                "row_version": 1,
                "last_edited_when": erp.clock(),
            },
        )


def item_row(item: Item, stamp: datetime) -> Row:
    """The item master row as it stands."""
    return {
        "stock_item_id": item.item_id,
        "stock_item_name": item.name,
        "supplier_id": item.supplier.supplier_id,
        "unit_package": "EA",
        "quantity_per_outer": item.pack,
        "unit_price": dollars(item.price_cents),
        "tax_rate": percent(item.tax_permille),
        "typical_weight_per_unit": Decimal(item.weight_grams).scaleb(-3),
        "lead_time_days": item.lead_days,
        "barcode": item.barcode,
        "is_chiller_stock": False,
        "is_stocked": True,
        "row_version": 1,
        "last_edited_when": stamp,
    }


def write_items(erp: Erp, items: list[Item]) -> dict[int, Row]:
    """One row per item and its group memberships; returns the living item rows by id."""
    rows = {}
    membership = 0
    for item in items:
        rows[item.item_id] = item_row(item, erp.clock())
        erp.write("warehouse.stock_items", rows[item.item_id])
        groups = [item.family + 1]
        if item.item_id % 9 == 0:
            groups.append(item.family % len(FAMILIES) + 2 if item.family + 2 <= len(FAMILIES) else 1)
        for group in groups:
            membership += 1
            row = {"stock_item_stock_group_id": membership, "stock_item_id": item.item_id, "stock_group_id": group}
            erp.write("warehouse.stock_item_stock_groups", row)
    return rows
