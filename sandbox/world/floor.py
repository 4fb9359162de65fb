"""The warehouse floor: waves, picking with shorts, packing into cartons, shipping, now and then a void."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from .carrier import Carriers
from .clock import DAY, HOUR, local
from .company import ERP_ZONE, SITES
from .desk import Desk
from .kernel import soon
from .ledger import Ledger
from .outbox import Outbox
from .packing import pack, split
from .shifts import ShiftPlan
from .state import Release, Shipment, WarehouseLine, WarehouseOrder

WAVES = {"D": (2400, 11_500, 20_400), "E": (1500, 9_700), "N": (1500, 6_600, 10_900, 13_600, 16_100)}
"""Seconds into each shift at which a wave is planned."""


class Floor:
    """One site at work."""

    def __init__(
        self, site: int, plan: ShiftPlan, desk: Desk, outbox: Outbox, carriers: Carriers, ledger: Ledger,
        close_release: Callable[[Release], None], bill: Callable[[Shipment], None],
    ) -> None:  # fmt: skip
        self.site, self.plan, self.desk, self.outbox = site, plan, desk, outbox
        self.carriers, self.ledger, self._close, self._bill = carriers, ledger, close_release, bill
        self.erp, self.stock, self.kernel = desk.erp, desk.stock, desk.kernel
        self.settings = self.kernel.settings
        self.place = SITES[site]
        self._chance = self.kernel.chance(f"floor{site}")
        pickers = max(2, round(self.settings.orders_per_day / 25 * 2.4))
        self.pickers = simpy.Resource(self.kernel.env, pickers)

    def run_waves(self) -> Generator[Any, Any, None]:
        """SimPy process: the waves of every shift; a night shift works ahead and in portions."""
        index = 0
        while True:
            shift = self.plan.at(index)
            index += 1
            for offset in WAVES[shift.code]:
                at = shift.start + offset + self._chance.between(-600, 900)
                if at < self.kernel.now or at >= shift.end - 300:
                    continue
                yield self.kernel.env.timeout(at - self.kernel.now)
                if shift.code == "N":
                    self.desk.wave(self.site, look_ahead=5 * DAY, share=0.45)
                else:
                    self.desk.wave(self.site)

    def start(self, work: WarehouseOrder) -> None:
        """Take on a warehouse order: acknowledge the release per line, then queue for a picker."""
        for part in work.lines:
            self._event(self.kernel.now, "released", work, part, part.requested)
        self.kernel.process(self._pick(work))

    def _event(
        self, at: int, kind: str, work: WarehouseOrder, part: WarehouseLine | None, qty: int | None, **more: Any
    ) -> None:
        line, sku = (part.segment.line_id, part.segment.line.item.item_id) if part else (None, None)
        order = work.release.order.order_id
        self.outbox.event(at, kind, work.release.key, work.key, order, line, sku, qty, **more)

    def _pick(self, work: WarehouseOrder) -> Generator[Any, Any, None]:
        chance, env = self._chance, self.kernel.env
        yield env.timeout(chance.between(60, 1500))
        paces = [soon(chance, 62, 0.45, 400) for _ in work.lines]
        begin = chance.between(40, 240)
        need = begin + sum(paces) + 60
        with self.pickers.request() as turn:
            yield turn
            start = self.plan.fit(self.kernel.now, min(need, 5 * HOUR), chance.between(120, 1800))
            if start > self.kernel.now:
                yield env.timeout(start - self.kernel.now)
            self._event(self.kernel.now, "pick_started", work, None, None)
            at = self.kernel.now + begin
            for part, pace in zip(work.lines, paces, strict=True):
                at += pace
                self._pick_line(work, part, at)
            yield env.timeout(at + 30 - self.kernel.now)
        picked = [part for part in work.lines if part.picked]
        if not picked:
            self._done(work)
            return
        yield from self._ship(work, picked)

    def _pick_line(self, work: WarehouseOrder, part: WarehouseLine, at: int) -> None:
        """Pick one line: what is there of what was reserved; the rest is short for one recorded reason."""
        chance, line, stock = self._chance, part.segment.line, self.stock
        item_id = line.item.item_id
        found = part.backed
        if part.backed and chance.random() < self.settings.phantom:
            found = int(part.backed * chance.random() * 0.7)
        elif part.backed > 1 and chance.random() < self.settings.damaged:
            found = part.backed - 1
        reason = "damaged" if 0 < part.backed - found == 1 and part.backed > 1 and found else "phantom_stock"
        missing = part.backed - found
        part.picked = found
        over = (
            1
            if found
            and not missing
            and chance.random() < self.settings.over_ship
            and stock.available(self.site, item_id) > 1
            else 0
        )
        stock.reserve(self.site, item_id, -part.backed)
        stock.move(self.site, item_id, -found - over)
        line.released -= part.requested
        line.picked += found
        line.unallocated += part.requested - found
        part.over = over
        part.picked += over
        if found:
            self._event(at, "picked", work, part, part.picked)
        if missing:
            self._event(at + 5, "pick_shorted", work, part, missing, reason=reason)
            self.ledger.short(line, reason)
            gone = missing
            if reason == "phantom_stock":
                gone += max(0, min(stock.available(self.site, item_id) - missing, chance.between(0, 40)))
            stock.move(self.site, item_id, -gone)
            self._event(at + 15, "adjusted", work, part, -gone, reason=reason)
            self.erp.post(at + chance.between(60, 1800), stock.post, self.site, item_id, 12, -gone, at + 15)
        if part.requested > part.backed:
            self._event(at + 6, "pick_shorted", work, part, part.requested - part.backed, reason="no_stock")
            self.ledger.short(line, "no_stock")
        if part.requested > found:
            work.release.shorts.append((part.segment, part.requested - found))

    def _ship(self, work: WarehouseOrder, picked: list[WarehouseLine]) -> Generator[Any, Any, None]:
        env, chance = self.kernel.env, self._chance
        groups = split(picked, chance, self.settings.two_parcels)
        for number, group in enumerate(groups):
            wait = soon(chance, 1500 if number == 0 else 4200, 0.6, 5 * HOUR)
            packed = self.plan.fit(self.kernel.now + wait, 1800, chance.between(300, 2400))
            yield env.timeout(packed - self.kernel.now)
            cartons, grams = pack(group, self.kernel)
            shipment = self._label(work, cartons, grams)
            self._event(
                self.kernel.now, "packed", work, None, len(cartons), lpn=cartons[0].sscc, shipment=shipment.number
            )
            yield env.timeout(chance.between(120, 1700))
            if chance.random() < self.settings.void:
                shipment = yield from self._void(work, shipment)
            self._send(shipment)
        self._done(work)

    def _label(self, work: WarehouseOrder, cartons: list[Any], grams: int) -> Shipment:
        number = f"{self.place.code}-{self.kernel.number(f'shipment{self.site}', 55_001)}"
        return self.carriers.label(work, self.place, number, cartons, grams)

    def _void(self, work: WarehouseOrder, shipment: Shipment) -> Generator[Any, Any, Shipment]:
        """The advice goes out, the truck does not: void it and ship again under a new number."""
        shipment.shipped = self.kernel.now
        shipment.void = True
        self.outbox.advise(shipment)
        self.ledger.shipped(shipment)
        yield self.kernel.env.timeout(self._chance.between(300, 900))
        self.outbox.advise(shipment, "V")
        self._event(self.kernel.now, "ship_voided", work, None, None, shipment=shipment.number)
        self.kernel.exception("ship_voided", shipment.number, end=self.kernel.now)
        again = self._label(work, shipment.cartons, shipment.weight_grams)
        resume = self.plan.fit(self.kernel.now + self._chance.between(200, 900), 60, self._chance.between(300, 1500))
        yield self.kernel.env.timeout(resume - self.kernel.now)
        return again

    def _send(self, shipment: Shipment) -> None:
        """The goods leave: the only moment at which anything counts as shipped."""
        now = self.kernel.now
        shipment.shipped = now
        for segment, qty in shipment.quantities().items():
            line = segment.line
            part = next(p for p in shipment.work.lines if p.segment is segment)
            line.picked -= qty - part.over
            line.shipped += qty - part.over
            line.over += part.over
            segment.shipped += qty
        self.outbox.advise(shipment)
        self.ledger.shipped(shipment)
        self.carriers.dispatch(shipment)
        self.desk.oms.touch(shipment.work.release.order.oms, "shipped")
        self.erp.post(now + self._chance.between(30, 900), self._post_issue, shipment)
        self._bill(shipment)

    def _post_issue(self, shipment: Shipment) -> None:
        when = local(shipment.shipped, ERP_ZONE)
        customer = shipment.work.release.order.customer.customer_id
        for segment, qty in shipment.quantities().items():
            row = segment.row
            self.erp.touch(
                "sales.order_lines", row, picked_quantity=row["picked_quantity"] + qty, picking_completed_when=when
            )
            self.stock.post(self.site, segment.line.item.item_id, 10, -qty, shipment.shipped, customer_id=customer)

    def _done(self, work: WarehouseOrder) -> None:
        work.release.pending -= 1
        if work.release.pending == 0:
            self.erp.post(self.kernel.now + self._chance.between(90, 1500), self._close, work.release)
