"""Replenishment: weekly reviews per supplier and site, purchase orders, receipts that come late or in part."""

from __future__ import annotations

import math
from collections.abc import Generator
from datetime import date, timedelta
from typing import Any

from .chance import Chance
from .clock import DAY, HOUR, add_workdays, at_local, is_workday, local_date
from .company import ERP_ZONE, SITES, season
from .desk import Desk
from .erp import dollars
from .items import Item
from .outbox import Outbox
from .parties import Supplier
from .shifts import ShiftPlan

REVIEW_DAYS = 7
_QTY_SIGMA = 1.3


class Purchasing:
    """Orders up to a level that covers lead time, review period and a margin for lumpy demand."""

    def __init__(
        self, desk: Desk, items: list[Item], suppliers: list[Supplier], shares: list[float], lines_per_day: float,
        outboxes: list[Outbox], plans: list[ShiftPlan],
    ) -> None:  # fmt: skip
        self.desk, self.items, self.suppliers, self.outboxes, self.plans = desk, items, suppliers, outboxes, plans
        self.erp, self.stock, self.kernel = desk.erp, desk.stock, desk.kernel
        self.settings = self.kernel.settings
        self._chance: Chance = self.kernel.chance("purchasing")
        self._by_supplier: dict[int, list[Item]] = {}
        for item in items:
            self._by_supplier.setdefault(item.supplier.supplier_id, []).append(item)
        total = sum(item.weight for item in items)
        self.on_order = [[0] * (len(items) + 1) for _ in SITES]
        self._rate = [[0.0] * (len(items) + 1) for _ in SITES]
        self._levels: dict[tuple[int, int, int], list[tuple[Item, int, int]]] = {}
        self.received_lines = 0
        self.late_lines = 0
        for item in items:
            lines = lines_per_day * item.weight / total
            for site in range(len(SITES)):
                share = shares[site] if not item.home_only else float(site == 1)
                self._rate[site][item.item_id] = lines * share

    def _plan(self, supplier: Supplier, site: int, month: int) -> list[tuple[Item, int, int]]:
        """Stocked items of a supplier with their levels, remembered per month."""
        key = (supplier.supplier_id, site, month)
        if key not in self._levels:
            items = [i for i in self._by_supplier.get(supplier.supplier_id, ()) if self._rate[site][i.item_id]]
            self._levels[key] = [(item, *self.level(site, item, month)) for item in items]
        return self._levels[key]

    def level(self, site: int, item: Item, month: int) -> tuple[int, int]:
        """Reorder point and order-up-to level in eaches."""
        rate = self._rate[site][item.item_id] * (
            0.4 * season(item.family, month) + 0.6 * season(item.family, month % 12 + 1)
        )
        mean = item.qty_median * 1.12 * math.exp(_QTY_SIGMA**2 / 2)
        square = (item.qty_median * 1.12) ** 2 * math.exp(2 * _QTY_SIGMA**2) * 0.7
        span = item.lead_days + REVIEW_DAYS
        demand = rate * span
        sigma = math.sqrt(demand * square + (demand * mean * self.settings.lead_cv) ** 2)
        imported = item.supplier.category == 1
        margin = self.settings.service_z_import if imported else self.settings.service_z
        point = demand * mean + margin * sigma
        return max(1, math.ceil(point)), math.ceil(point + max(rate * 45 * mean, mean))

    def open_stock(self) -> None:
        """Opening balances: somewhere between the reorder point and the level."""
        month = local_date(self.kernel.now, ERP_ZONE).month
        for site in range(len(SITES)):
            for item in self.items:
                low, high = self.level(site, item, month)
                stocked = self._rate[site][item.item_id] > 0
                self.stock.open(site, item, self._chance.between(low, high) if stocked else 0)

    def run(self) -> Generator[Any, Any, None]:
        """SimPy process: each working morning, review the suppliers of that weekday."""
        day = local_date(self.kernel.now, ERP_ZONE)
        while True:
            at = at_local(day, 7 * HOUR + self._chance.between(0, 5 * HOUR), ERP_ZONE)
            yield self.kernel.env.timeout(max(0, at - self.kernel.now))
            if is_workday(day) and self.erp.is_up:
                for supplier in self.suppliers:
                    if supplier.review_weekday == day.weekday():
                        self._review(supplier, day)
            day += timedelta(days=1)

    def _review(self, supplier: Supplier, day: date) -> None:
        for site in range(len(SITES)):
            wanted = []
            booked, reserved, coming = self.stock.booked[site], self.stock.reserved[site], self.on_order[site]
            for item, low, high in self._plan(supplier, site, day.month):
                n = item.item_id
                position = booked[n] - reserved[n] + coming[n]
                queue = self.desk.waiting.get(n)
                if queue:
                    owing = (s for s in queue.values() if s.open > 0 and s.order.site == site)
                    position -= sum(s.open - sum(s.held.values()) for s in owing)
                if position < low:
                    outers = -(-(high - position) // item.pack)
                    wanted.append((item, outers))
            if wanted:
                self._order(supplier, site, day, wanted)

    def _order(self, supplier: Supplier, site: int, day: date, wanted: list[tuple[Item, int]]) -> None:
        chance = self._chance
        expected = add_workdays(day + timedelta(days=supplier.lead_days), 0)
        header: dict[str, Any] = {
            "purchase_order_id": self.kernel.number("purchase_order", 3001),
            "supplier_id": supplier.supplier_id,
            "site_id": SITES[site].site_id,
            "order_date": day,
            "expected_delivery_date": expected,
            "supplier_reference": f"SR-{supplier.supplier_id * 7919 % 100_000:05d}",
            "is_order_finalized": False,
            "last_edited_when": self.erp.clock(),
        }
        self.erp.write("purchasing.purchase_orders", header)
        on_time = chance.random() < supplier.on_time
        if on_time:
            lead = min(1.0, chance.skewed(1.0, self.settings.lead_cv)) * supplier.lead_days
        else:
            lead = supplier.lead_days + max(1.0, chance.skewed(5.5, 1.15))
        arrival = local_date(self.kernel.now + int(min(150.0, max(2.0, lead)) * DAY), SITES[site].zone)
        if on_time:
            arrival = min(arrival, expected)
            while not is_workday(arrival) and arrival > day:
                arrival -= timedelta(days=1)
        pending = len(wanted)
        state = {"pending": pending}
        for item, outers in wanted:
            qty = outers * item.pack
            self.on_order[site][item.item_id] += qty
            row: dict[str, Any] = {
                "purchase_order_line_id": self.kernel.number("purchase_order_line"),
                "purchase_order_id": header["purchase_order_id"],
                "stock_item_id": item.item_id,
                "ordered_outers": outers,
                "received_outers": 0,
                "expected_unit_price_per_outer": dollars(round(item.cost4 * item.pack / 100)),
                "last_receipt_date": None,
                "is_order_line_finalized": False,
                "last_edited_when": self.erp.clock(),
            }
            self.erp.write("purchasing.purchase_order_lines", row)
            first, lands = outers, arrival
            if chance.random() < self.settings.po_line_allocated:
                lands += timedelta(days=chance.between(15, 75))
            if outers > 1 and chance.random() < self.settings.po_line_partial:
                first = max(1, int(outers * chance.uniform(0.4, 0.9)))
                rest_day = lands + timedelta(days=chance.between(4, 12))
                self._arrive(site, rest_day, item, outers - first, header, row, state, expected)
            self._arrive(site, lands, item, first, header, row, state, expected)

    def _arrive(
        self, site: int, day: date, item: Item, outers: int, header: dict[str, Any], row: dict[str, Any],
        state: dict[str, int], expected: date,
    ) -> None:  # fmt: skip
        dock = at_local(day, 7 * HOUR + self._chance.between(600, 4 * HOUR), SITES[site].zone)
        at = self.plans[site].fit(max(dock, self.kernel.now), 1200, self._chance.between(1200, 12_000))
        self.kernel.at(at, self._receive, site, item, outers, header, row, state, expected)

    def _receive(
        self, site: int, item: Item, outers: int, header: dict[str, Any], row: dict[str, Any],
        state: dict[str, int], expected: date,
    ) -> None:  # fmt: skip
        qty = outers * item.pack
        if not row["received_outers"]:
            self.received_lines += 1
            self.late_lines += local_date(self.kernel.now, SITES[site].zone) > expected
        self.on_order[site][item.item_id] -= qty
        old = max(0, self.stock.booked[site][item.item_id])
        paid = max(1, round(item.cost4 * self._chance.gauss(1.0, 0.015)))
        self.stock.cost4[site][item.item_id] = (self.stock.cost4[site][item.item_id] * old + paid * qty) // max(
            1, old + qty
        )
        self.stock.move(site, item.item_id, qty)
        lpn = f"LPN{self.kernel.number('lpn'):09d}"
        self.outboxes[site].event(self.kernel.now, "put_away", sku=item.item_id, qty=qty, lpn=lpn)
        at = self.kernel.now
        self.erp.post(at + self._chance.between(120, 2400), self._book, site, item, outers, header, row, state, at)

    def _book(
        self,
        site: int,
        item: Item,
        outers: int,
        header: dict[str, Any],
        row: dict[str, Any],
        state: dict[str, int],
        at: int,
    ) -> None:
        got = row["received_outers"] + outers
        done = got >= row["ordered_outers"]
        day = local_date(at, SITES[site].zone)
        self.erp.touch(
            "purchasing.purchase_order_lines",
            row,
            received_outers=got,
            last_receipt_date=day,
            is_order_line_finalized=done,
        )
        self.stock.post(
            site, item.item_id, 11, outers * item.pack, at,
            supplier_id=header["supplier_id"], purchase_order_id=header["purchase_order_id"],
        )  # fmt: skip
        self.desk.received(site, item.item_id)
        if done:
            state["pending"] -= 1
            if state["pending"] == 0:
                self.erp.touch("purchasing.purchase_orders", header, is_order_finalized=True)
