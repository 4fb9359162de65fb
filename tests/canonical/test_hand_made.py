"""Hand-made rows: parents that come late, systems that do not exist yet."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

ADVICE = {
    "document": "ship_confirmation",
    "site": "EWR",
    "interchange_control": "000000001",
    "transaction_control": "0001",
    "purpose": "N",
    "order_number": "1001",
    "shipment_number": "EWR-1",
    "release": "1001-1",
    "ship_date": "20240301",
    "ship_time": "143005",
    "tracking_number": "1Z1",
    "carrier_code": "UPSN",
    "service": "GND",
    "total_qty": "6",
    "lines": [
        {
            "assigned": "1",
            "handling_unit": "00371",
            "sku": "142",
            "order_line": "5003",
            "qty_ordered": "10",
            "qty_shipped": "6",
            "uom": "EA",
            "status": "SH",
        }
    ],
}
VOID = ADVICE | {"interchange_control": "000000002", "purpose": "V", "lines": [], "total_qty": "0"}
RELEASED = {
    "id": "EWR-1",
    "type": "released",
    "site": "EWR",
    "at": "2024-03-01 09:00:00",
    "release": "1001-1",
    "warehouse_order": "1001-1-EWR",
    "order": "1001",
    "line": "5003",
    "sku": "142",
    "qty": 10,
}
ORDER = {
    "number": "S-1",
    "channel": "edi",
    "customer_ref": "17",
    "customer_po": "PO-1",
    "created_at": "2024-02-29T14:05:09Z",
    "updated_at": "2024-03-01T00:00:00Z",
    "status": "accepted",
    "is_test": False,
    "ship_to": {"postal_code": "10001", "zone": "America/New_York"},
    "lines": [
        {"line": 1, "sku": "142", "qty_ordered": 12, "qty": 10, "unit": "EA", "unit_price": "21.50", "status": "open"}
    ],
    "promises": [
        {"version": 1, "promised_date": "2024-03-05", "made_at": "2024-02-29T14:06:00Z"},
        {"version": 2, "promised_date": "2024-03-08", "made_at": "2024-03-02T14:06:00Z"},
    ],
    "holds": [],
    "changes": [
        {
            "id": "C1",
            "line": 1,
            "kind": "quantity",
            "qty_from": 12,
            "qty_to": 10,
            "initiator": "customer",
            "reason": "typo",
            "at": "2024-02-29T15:00:00Z",
        }
    ],
}
# `build` also runs the contract tests; where those prove nothing new, `run` is enough
SELECT = ("--select", "staging", "canonical")


def docs(**rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"doc_key": key, "doc": json.dumps(doc)} for key, doc in rows.items()]


@pytest.fixture(scope="module")
def late_parent(new_scratch: Callable[..., Any], raw_insert: Callable[..., None]) -> dict[str, dict[str, list[Any]]]:
    """What canonical says before and after the ERP's own rows arrive, and after the shipment is voided."""
    scratch = new_scratch("late")
    questions = {
        "order": """select order_key, is_inferred, is_in_scope, first_commit_date, current_commit_date,
            commit_deadline_utc, delivery_deadline_utc, order_received_utc, order_received_precision, status
            from can_sales_order order by 1""",
        "line": """select order_line_key, order_key, is_inferred, ordered_original_qty, current_qty
            from can_order_line order by 1""",
        "shipment": "select shipment_key, order_key, shipped_utc, is_void, has_tracking from can_shipment",
        "shipment_line": """select order_line_key, root_order_key, release_event_key, shipped_qty, is_void
            from can_shipment_line""",
        "change": "select order_line_key, initiator, qty_delta from can_line_change",
        "oms_time": """select event_type, event_time_raw, event_time_utc, event_time_utc_min, event_time_utc_max
            from can_event where source_key like 'S-1%' order by event_time_utc, event_type""",
        "order_bound": """select order_received_utc, order_received_utc_min, order_received_utc_max
            from can_sales_order where order_key like '%S-1'""",
        "change_bound": "select changed_utc, changed_utc_max from can_line_change",
    }
    seen = {}
    with scratch.raw() as con:
        raw_insert(con, "raw_wms.ship_confirmation", docs(a=ADVICE))
        raw_insert(con, "raw_wms.event", docs(b=RELEASED))
        raw_insert(con, "raw_oms.orders", docs(c=ORDER))
    scratch.dbt("build", *SELECT, "--exclude-resource-type", "unit_test")
    seen["before"] = {name: scratch.query(sql) for name, sql in questions.items()}
    import duckdb

    with duckdb.connect(str(scratch.warehouse)) as con:
        raw_insert(con, "raw_wms.ship_confirmation", docs(v=VOID))
        raw_insert(
            con,
            "raw_erp.application_sites",
            [
                {
                    "site_id": 1,
                    "site_code": "EWR",
                    "site_name": "Newark",
                    "zone": "America/New_York",
                    "legal_entity_id": 1,
                }
            ],
        )
        raw_insert(
            con,
            "raw_erp.application_legal_entities",
            [{"legal_entity_id": 1, "legal_entity_name": "A", "currency": "USD", "zone": "America/Chicago"}],
        )
        raw_insert(
            con,
            "raw_erp.sales_orders",
            [
                {
                    "order_id": 1001,
                    "customer_id": 17,
                    "site_id": 1,
                    "order_date": date(2024, 2, 29),
                    "expected_delivery_date": date(2024, 3, 5),
                    "oms_order_number": "S-1",
                    "order_status": "open",
                    "last_edited_when": datetime(2024, 3, 1),
                }
            ],
        )
        raw_insert(
            con,
            "raw_erp.sales_order_lines",
            [
                {
                    "order_line_id": 5003,
                    "order_id": 1001,
                    "oms_line_no": 1,
                    "stock_item_id": 142,
                    "quantity": 10,
                    "unit_price": 21,
                    "picked_quantity": 0,
                }
            ],
        )
    scratch.dbt("run", *SELECT)
    seen["after"] = {name: scratch.query(sql) for name, sql in questions.items()}
    return seen


def test_a_shipment_before_its_order_holds_an_inferred_parent_out_of_scope(late_parent: Any) -> None:
    orders = {row[0]: row[1:3] for row in late_parent["before"]["order"]}
    assert orders == {"1|erp|1001": (True, False), "1|oms|S-1": (False, True)}
    assert ("1|erp|5003", "1|erp|1001", True) in [row[:3] for row in late_parent["before"]["line"]]
    (shipment,) = late_parent["before"]["shipment"]
    assert shipment == ("1|wms|EWR-1", "1|erp|1001", datetime(2024, 3, 1, 19, 30, 5), False, True)


def test_an_order_only_the_oms_knows_is_canonical_with_its_lines(late_parent: Any) -> None:
    lines = {row[0]: row for row in late_parent["before"]["line"]}
    assert lines["1|oms|S-1/1"][1:4] == ("1|oms|S-1", False, 12)
    assert late_parent["before"]["change"] == [("1|oms|S-1/1", "customer", -2)]


def test_what_an_oms_tells_to_the_second_is_open_for_one_second(late_parent: Any) -> None:
    """Second precision leaves [t, t + 1 s): a wider bound would let late orders pass for perhaps in time."""
    second = timedelta(seconds=1)
    times = late_parent["before"]["oms_time"]
    assert {row[0] for row in times} == {"received", "promised", "re-promised", "amended"}
    for _, raw, at, first, last in times:
        assert (at, first, last) == (datetime.fromisoformat(raw.rstrip("Z")), at, at + second), raw
    for at, *bounds in late_parent["before"]["order_bound"] + late_parent["before"]["change_bound"]:
        assert bounds[-1] - at == second
        assert bounds[0] in (at, at + second)


def test_the_parent_completes_the_inferred_row_and_takes_the_oms_order_in(late_parent: Any) -> None:
    assert late_parent["after"]["order"] == [
        (
            "1|erp|1001",
            False,
            True,
            date(2024, 3, 5),
            date(2024, 3, 8),
            datetime(2024, 3, 6, 5),
            datetime(2024, 3, 6, 5),
            datetime(2024, 2, 29, 14, 5, 9),
            "s",
            "open",
        )
    ]
    assert late_parent["after"]["line"] == [("1|erp|5003", "1|erp|1001", False, 12, 10)]
    assert late_parent["after"]["change"] == [("1|erp|5003", "customer", -2)]


def test_a_void_keeps_the_shipment_and_its_lines_and_marks_them(late_parent: Any) -> None:
    (shipment,) = late_parent["after"]["shipment"]
    assert shipment[3] is True
    assert late_parent["after"]["shipment_line"] == [("1|erp|5003", "1|erp|1001", "1|wms|1001-1", 6, True)]


@pytest.mark.slow
def test_no_system_at_all_builds_empty_typed_entities(new_scratch: Callable[..., Any]) -> None:
    scratch = new_scratch("none")
    scratch.systems = {}
    scratch.dbt("run", *SELECT)
    counts = scratch.query("select table_name from duckdb_tables() where schema_name = 'canonical'")
    assert len(counts) >= 27
    assert scratch.query("select count(*) from can_sales_order") == [(0,)]
    assert scratch.query("select count(*) > 20 from can_ownership") == [(True,)]
