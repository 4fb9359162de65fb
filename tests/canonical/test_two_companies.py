"""Two companies with an ERP and an order system each, which number alike, stay apart."""

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

STREAMS = ["sales_orders", "sales_order_lines", "application_sites"]
SYSTEMS = {
    "erp": [
        {"system": "erp", "zone": "America/Chicago", "streams": STREAMS},
        {"system": "erp_new", "zone": "America/New_York", "legal_entity": "2", "streams": STREAMS},
    ],
    "oms": [
        {"system": "oms", "zone": "UTC", "erp": "erp", "streams": ["orders"]},
        {"system": "oms_new", "zone": "UTC", "legal_entity": "2", "erp": "erp_new", "streams": ["orders"]},
    ],
}
FOUND = "select source_system, oms_order_number, order_key, is_in_erp from parts.prt_oms_order order by 1, 2"


def order(number: str, customer: str) -> dict[str, str]:
    content = {"number": number, "customer_ref": customer, "created_at": "2024-03-01T10:00:00Z", "lines": []}
    return {"doc_key": number, "doc": json.dumps(content)}


def found(scratch) -> list[tuple]:
    with scratch.connected() as con:
        return con.execute(FOUND).fetchall()


def fill(scratch, raw_insert) -> None:
    with scratch.raw("erp_new") as con:
        con.execute("create schema raw_oms_new; create table raw_oms_new.orders as from raw_oms.orders")
        for system, first in (("erp", 1), ("erp_new", 7)):
            row = {"order_id": first, "customer_id": 1, "oms_order_number": "S-1", "order_date": date(2024, 3, 1)}
            raw_insert(con, f"raw_{system}.sales_orders", [row])
        raw_insert(con, "raw_oms.orders", [order("S-1", "1"), order("S-2", "1")])
        raw_insert(con, "raw_oms_new.orders", [order("S-1", "9"), order("S-2", "9")])


def test_an_oms_that_names_its_erp_is_matched_with_that_one_alone(new_scratch, raw_insert) -> None:
    scratch = new_scratch("companies", SYSTEMS)
    fill(scratch, raw_insert)
    scratch.dbt("run", "--select", "+prt_oms_order")
    assert found(scratch) == [
        ("oms", "S-1", "1|erp|1", True),
        ("oms", "S-2", "1|oms|S-2", False),
        ("oms_new", "S-1", "2|erp_new|7", True),
        ("oms_new", "S-2", "2|oms_new|S-2", False),
    ]


def test_one_oms_before_two_erps_is_matched_with_the_first_that_quotes_it(new_scratch, raw_insert) -> None:
    scratch = new_scratch("shared", SYSTEMS | {"oms": [{"system": "oms", "zone": "UTC", "streams": ["orders"]}]})
    fill(scratch, raw_insert)
    with scratch.connected() as con:
        row = {"order_id": 8, "customer_id": 1, "oms_order_number": "S-2", "order_date": date(2024, 3, 1)}
        raw_insert(con, "raw_erp_new.sales_orders", [row])
    scratch.dbt("run", "--select", "+prt_oms_order")
    assert found(scratch) == [("oms", "S-1", "1|erp|1", True), ("oms", "S-2", "2|erp_new|8", True)]


@pytest.mark.slow
def test_two_erps_with_the_same_numbers_stay_apart(
    new_scratch: Callable[..., Any], raw_insert: Callable[..., None]
) -> None:
    streams = ["sales_orders", "sales_order_lines", "application_sites"]
    systems = {
        "erp": [
            {"system": "erp", "zone": "America/Chicago", "streams": streams},
            {
                "system": "erp_new",
                "zone": "America/New_York",
                "legal_entity": "2",
                "streams": [*streams, "sales_returns"],
            },
        ]
    }
    scratch = new_scratch("two", systems)
    with scratch.raw("erp_new") as con:
        con.execute("drop table raw_erp_new.sales_returns")  # declared and connected, but nothing has landed
        for system in ("erp", "erp_new"):
            raw_insert(
                con,
                f"raw_{system}.sales_orders",
                [
                    {
                        "order_id": 1,
                        "customer_id": 1,
                        "backorder_order_id": 2,
                        "order_date": date(2024, 3, 1),
                        "expected_delivery_date": date(2024, 3, 4),
                        "picking_completed_when": datetime(2024, 3, 2, 12),
                    },
                    {
                        "order_id": 2,
                        "customer_id": 1,
                        "order_date": date(2024, 3, 1),
                        "expected_delivery_date": date(2024, 3, 9),
                    },
                ],
            )
            raw_insert(
                con,
                f"raw_{system}.sales_order_lines",
                [
                    {
                        "order_line_id": 7,
                        "order_id": 1,
                        "stock_item_id": 3,
                        "quantity": 5,
                        "picked_quantity": 3,
                        "picking_completed_when": datetime(2024, 3, 2, 12),
                        "unit_price": 1,
                    },
                    {
                        "order_line_id": 8,
                        "order_id": 2,
                        "parent_order_line_id": 7,
                        "stock_item_id": 3,
                        "quantity": 2,
                        "picked_quantity": 0,
                        "unit_price": 1,
                    },
                ],
            )
    scratch.dbt("run", "--select", "staging", "canonical")
    assert scratch.query("""
        select order_key, root_order_key, chain_depth, commit_deadline_utc from can_sales_order order by 1""") == [
        ("1|erp|1", "1|erp|1", 0, datetime(2024, 3, 5, 6)),
        ("1|erp|2", "1|erp|1", 1, datetime(2024, 3, 5, 6)),
        ("2|erp_new|1", "2|erp_new|1", 0, datetime(2024, 3, 5, 5)),
        ("2|erp_new|2", "2|erp_new|1", 1, datetime(2024, 3, 5, 5)),
    ]
    assert scratch.query("select distinct root_order_line_key from can_order_line order by 1") == [
        ("1|erp|7",),
        ("2|erp_new|7",),
    ]
    # without a warehouse system the ERP's picks stand for shipments
    assert scratch.query("select shipment_line_key, shipped_qty, shipped_utc from can_shipment_line order by 1") == [
        ("1|erp|7", 3, datetime(2024, 3, 2, 18)),
        ("2|erp_new|7", 3, datetime(2024, 3, 2, 17)),
    ]
