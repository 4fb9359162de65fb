"""Gates of the simulated world: nothing impossible happens, and every quantity is accounted for."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

from sandbox.world.clock import local
from sandbox.world.company import SITES

from . import reading


def test_no_pick_happens_outside_a_shift(small: Any) -> None:
    for outbox in small.world.outboxes:
        assert outbox.outside_shift == 0
        assert sum(outbox.hours["picked"]) > 100


def test_no_scan_comes_before_its_label(small: Any) -> None:
    assert small.world.carriers.scans > 500
    assert small.world.carriers.scans_before_label == 0


def test_no_hour_is_constant(small: Any) -> None:
    for outbox in small.world.outboxes:
        for kind in ("released", "picked", "packed"):
            hours = outbox.hours[kind]
            assert max(hours) < 0.6 * sum(hours), (kind, hours)
    seconds = {s.shipped % 60 for s in small.world.ledger.shipments}
    assert len(seconds) > 50


def test_nothing_ships_at_the_instant_of_a_deadline(small: Any) -> None:
    for shipment in small.world.ledger.shipments:
        for site in SITES:
            assert local(shipment.shipped, site.zone).time().isoformat() != "00:00:00"


def test_the_quantity_vector_of_every_line_balances(small: Any) -> None:
    for order in small.world.ledger.orders:
        for line in (segment.line for segment in order.segments):
            assert line.balance() == 0
            vector = (line.unallocated, line.allocated, line.released, line.picked, line.shipped, line.over)
            assert min(vector) >= 0, vector
            if not any(segment.order.in_flight for segment in line.segments):
                assert line.released == line.picked == 0
                assert line.unallocated + line.allocated == sum(segment.open for segment in line.segments)


def test_every_short_has_one_cause_and_every_cause_a_short_line(small: Any) -> None:
    world, as_of = small.world, int(small.world.now.timestamp())
    rows = [e for e in world.exceptions() if e["kind"] == "short"]
    assert len({e["key"] for e in rows}) == len(rows)
    assert {e["detail"] for e in rows} <= {"no_stock", "phantom_stock", "damaged", "hold", "cut_off"}
    for order in world.ledger.orders:
        if order.oms.is_test or reading.end_of(order.commit, SITES[order.site].zone) > as_of:
            continue
        for line in order.oms.lines:
            wanted, sent = world.ledger.effective(line), line.sent or [0] * 5
            if wanted and (sent[0] < wanted or sent[1] < wanted):
                assert line.cause, (order.order_id, line.number)


def test_returns_and_stock_are_conserved(small: Any) -> None:
    for fact in small.world.returns.facts:
        assert fact["authorized"] == fact["open"] + fact["received"] + fact["expired"]
        assert fact["received"] == fact["credited"] + fact["refused"] + fact["pending"]
    tables = reading.tables(small.emissions)
    moved: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for row in tables["warehouse.stock_item_transactions"].values():
        moved[row["stock_item_id"], row["site_id"]] += row["quantity"]
    holdings = tables["warehouse.stock_item_holdings"].values()
    assert len(holdings) == len(SITES) * len(small.world.items)
    for row in holdings:
        assert row["quantity_on_hand"] == moved[row["stock_item_id"], row["site_id"]]


def test_snapshots_list_only_what_changed_and_end_at_the_books(small: Any) -> None:
    rows = reading.snapshots([f for e in small.emissions for f in e.wms])
    last: dict[tuple[str, str], tuple[str, str]] = {}
    for row in rows:
        last[row["site"], row["sku"]] = (row["on_hand"], row["allocated"])
    assert len(last) == len(SITES) * len(small.world.items)
    assert len(rows) < 6 * len(last)
    assert all(int(on_hand) >= int(allocated) >= 0 for on_hand, allocated in last.values())


def test_a_backorder_moves_whole_lines_and_splits_partial_ones(small: Any) -> None:
    tables = reading.tables(small.emissions)
    orders, lines = tables["sales.orders"], tables["sales.order_lines"]
    children = [o["backorder_order_id"] for o in orders.values() if o["backorder_order_id"]]
    assert len(children) == len(set(children)) > 20
    moved = rest = larger = 0
    of_child = defaultdict(list)
    for line in lines.values():
        of_child[line["order_id"]].append(line)
    for parent in (o for o in orders.values() if o["backorder_order_id"]):
        child = orders[parent["backorder_order_id"]]
        same = ("customer_id", "order_date", "expected_delivery_date", "oms_order_number")
        assert all(child[column] == parent[column] for column in same)
        assert of_child[child["order_id"]]
        for line in of_child[child["order_id"]]:
            if line["parent_order_line_id"]:
                rest += 1
                assert line["quantity"] > 0
                larger += line["quantity"] >= lines[line["parent_order_line_id"]]["quantity"]
            elif not line["substitute_for_line_id"]:
                moved += 1
    assert moved and rest
    assert larger <= 3, "only where the customer had raised the quantity"


def test_documents_are_plain_json_and_files_are_complete(small: Any) -> None:
    files = [f for e in small.emissions for f in e.wms]
    assert len({(f.site, f.name) for f in files}) == len(files)
    assert all(f.content.endswith((b"\n", b"~")) for f in files)
    controls = [(f.site, f.name.split("_")[-1]) for f in files if f.name.startswith("945_")]
    assert len(set(controls)) == len(controls)
    ids = [e["id"] for e in reading.events(files)]
    assert len(set(ids)) == len(ids)
    for emission in small.emissions:
        json.dumps([emission.oms, emission.carrier])
