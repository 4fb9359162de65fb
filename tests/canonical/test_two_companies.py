"""Two companies with an ERP and an order system each, which number alike, stay apart."""

import json
from datetime import date

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
