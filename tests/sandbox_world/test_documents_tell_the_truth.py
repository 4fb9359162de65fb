"""The four systems' documents, read back the obvious way, hold what the world's ledger says happened."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from . import reading


class Company:
    """What the documents say, joined up."""

    def __init__(self, history: Any) -> None:
        self.as_of = int(history.world.now.timestamp())
        self.truth = {r["kpi_id"]: r for r in history.world.truth() if r["period"] == "total" and not r["dimensions"]}
        self.tables = reading.tables(history.emissions)
        self.files = [file for e in history.emissions for file in e.wms]
        self.shipments = reading.shipments(self.files)
        self.oms = reading.latest([e.oms for e in history.emissions], "number")
        self.trackers = reading.latest([e.carrier for e in history.emissions], "tracking_number")
        self.sites = {r["site_id"]: r for r in self.tables["application.sites"].values()}
        self.orders, self.lines = self.tables["sales.orders"], self.tables["sales.order_lines"]
        self.parents = {o["backorder_order_id"]: k for k, o in self.orders.items() if o["backorder_order_id"]}

    def root(self, order_id: int) -> int:
        while order_id in self.parents:
            order_id = self.parents[order_id]
        return order_id

    def root_line(self, line_id: int) -> int:
        while self.lines[line_id]["parent_order_line_id"]:
            line_id = self.lines[line_id]["parent_order_line_id"]
        return line_id

    def deadline(self, order_id: int) -> int:
        order = self.orders[self.root(order_id)]
        return reading.end_of(order["expected_delivery_date"], self.sites[order["site_id"]]["zone"])

    def document(self, order_id: int) -> dict[str, Any]:
        return self.oms[self.orders[self.root(order_id)]["oms_order_number"]]


@pytest.fixture
def company(small: Any) -> Company:
    return Company(small)


def _instant(text: str) -> int:
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def _wanted(company: Company, line: dict[str, Any]) -> int:
    document = company.document(line["order_id"])
    shown = next(x for x in document["lines"] if x["line"] == line["oms_line_no"])
    taken = sum(
        change["qty_to"] - change["qty_from"]
        for change in document["changes"]
        if change["line"] == shown["line"] and _instant(change["at"]) < company.deadline(line["order_id"])
    )
    assert shown["qty_ordered"] == line["quantity"]
    return max(0, shown["qty_ordered"] + taken)


def test_fill_rates_follow_from_the_documents(company: Company) -> None:
    first: dict[int, str] = {}
    for event in sorted(reading.events(company.files), key=lambda e: e["at"]):
        if event["type"] == "released" and int(event["order"]) not in company.parents:
            first.setdefault(int(event["order"]), event["release"])
    sent: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for shipment in company.shipments.values():
        root = company.root(shipment["order"])
        for line_id, qty in shipment["lines"]:
            totals = sent[company.root_line(line_id)]
            totals[0] += qty * (first[root] == shipment["release"])
            totals[1] += qty * (shipment["shipped"][0] < company.deadline(root))
            totals[2] += qty
    variants = ("first_event", "first_pass", "to_date")
    got: dict[str, list[Any]] = defaultdict(lambda: [0, 0])
    whole: dict[int, list[bool]] = {}
    with_children = {company.root(child) for child in company.parents}
    for line_id, line in company.lines.items():
        if line["parent_order_line_id"] or line["substitute_for_line_id"]:
            continue
        root = company.root(line["order_id"])
        if company.document(root)["is_test"] or company.deadline(root) > company.as_of:
            continue
        wanted = _wanted(company, line)
        if wanted <= 0:
            continue
        flags = whole.setdefault(root, [root not in with_children, True, True])
        for n, variant in enumerate(variants):
            filled = min(sent[line_id][n], wanted)
            flags[n] &= sent[line_id][n] >= wanted
            for measure, num, den in (
                ("unit", filled, wanted),
                ("line", int(sent[line_id][n] >= wanted), 1),
                ("value", filled * line["unit_price"], wanted * line["unit_price"]),
            ):
                cell = got[f"fill_rate_{measure}_{variant}_strict"]
                cell[0] += num
                cell[1] += den
    for n, variant in enumerate(variants):
        got[f"fill_rate_order_{variant}_strict"] = [sum(f[n] for f in whole.values()), len(whole)]
    assert len(got) == 12
    for kpi_id, (num, den) in got.items():
        true = company.truth[kpi_id]
        assert (Decimal(str(true["numerator"])), Decimal(str(true["denominator"]))) == (num, den), kpi_id


def test_deliveries_and_latencies_follow_from_the_documents(company: Company) -> None:
    done = on_time = every = 0
    to_ship, to_delivery = [], []
    for shipment in company.shipments.values():
        document = company.document(shipment["order"])
        low, high = shipment["shipped"]
        if high == low:
            to_ship.append(low - _instant(document["created_at"]))
        if not shipment["tracking"]:
            continue
        zone = document["ship_to"]["zone"]
        proof = next((e["at"] for e in company.trackers[shipment["tracking"]]["events"] if e["code"] == "DL"), None)
        bare = proof is not None and len(proof) == 10
        at = (
            None
            if proof is None
            else reading.end_of(datetime.fromisoformat(proof).date(), zone) - 1
            if bare
            else _instant(proof)
        )
        if at is not None and not bare and high == low:
            to_delivery.append(at - low)
        due = reading.end_of(company.orders[company.root(shipment["order"])]["expected_delivery_date"], zone)
        if due > company.as_of:
            continue
        every += 1
        done += at is not None
        on_time += at is not None and at < due
    truth = company.truth
    assert (truth["on_time_delivery_to_commit"]["numerator"], truth["on_time_delivery_to_commit"]["denominator"]) == (
        on_time,
        every,
    )
    assert truth["delivery_completed_to_commit"]["numerator"] == done
    ship = truth["latency_order_to_ship_mean"]
    assert (ship["numerator"], ship["denominator"]) == (sum(to_ship), len(to_ship))
    delivery = truth["latency_ship_to_delivery_mean"]
    assert (delivery["numerator"], delivery["denominator"]) == (sum(to_delivery), len(to_delivery))


def test_money_follows_from_the_documents(company: Company) -> None:
    lines = company.tables["sales.invoice_lines"].values()
    invoices = company.tables["sales.invoices"]
    net = sum(x["extended_price"] - x["tax_amount"] for x in lines)
    margin = sum(x["line_profit"] for x in lines)
    cell = company.truth["gross_margin_rate"]
    assert (Decimal(str(cell["numerator"])), Decimal(str(cell["denominator"]))) == (margin, net)
    invoiced: dict[int, int] = defaultdict(int)
    for line in lines:
        if not invoices[line["invoice_id"]]["is_credit_note"]:
            invoiced[line["order_line_id"]] += line["quantity"]
    shipped: dict[int, int] = defaultdict(int)
    for shipment in company.shipments.values():
        for line_id, qty in shipment["lines"]:
            shipped[line_id] += qty
    left = {k: max(0, qty - invoiced[k]) for k, qty in shipped.items()}
    amount = sum(qty * company.lines[k]["unit_price"] for k, qty in left.items())
    assert Decimal(str(company.truth["shipped_not_invoiced_amount"]["numerator"])) == amount
    assert company.truth["shipped_not_invoiced_lines"]["numerator"] == sum(qty > 0 for qty in left.values())
