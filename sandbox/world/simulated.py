"""The simulated world: a wholesale distributor with three distribution centres, from one seed.

>>> world = SimulatedWorld(seed=1, days=60)
>>> emission = world.advance(world.start + timedelta(days=60))

The world moves in whole days that end at 10:00 UTC, when nothing is under way in any zone; so at `now` every document
that tells of an event before `now` has been written. The same seed and settings give the same bytes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from .backorders import Backorders
from .base import Emission, Progress
from .billing import Billing
from .carrier import Carriers
from .changes import Changes
from .clock import instant, utc, zulu
from .company import ERP_ZONE, SHIP_ZONES, SITES
from .demand import Demand
from .desk import Desk
from .entry import Entry
from .erp import Erp
from .erp_masters import write_codes, write_customers, write_items, write_suppliers
from .floor import Floor
from .incidents import Incidents
from .items import make_items
from .kernel import Kernel
from .ledger import Ledger
from .oms import Oms
from .outbox import Outbox
from .parties import Customer, make_customers, make_suppliers
from .purchasing import Purchasing
from .returns import Returns
from .settings import HISTORY_START, Settings
from .shifts import ShiftPlan
from .state import Shipment, WarehouseOrder
from .stock import Stock
from .truth import truth_rows

LINES_PER_ORDER = 4.7
"""Mean lines per order, from which replenishment derives its rates."""

DETAILED_DAYS = 3
"""A step of up to this many days keeps every single ERP write; a longer one keeps each row's last image."""


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without cyclic garbage collection: a history is millions of objects that live on, and scanning them costs more
    than the few cycles that it would free."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class SimulatedWorld:
    """A seeded distributor. `days` fixes how far incidents are planned; history may go on past it."""

    name = "simulated"
    erp_zone = ERP_ZONE

    def __init__(self, seed: int = 1, days: int = 730, orders_per_day: float = 25.0, **knobs: Any) -> None:
        self.settings = Settings(seed=seed, days=days, orders_per_day=orders_per_day, **knobs)
        self.start = HISTORY_START
        self._now = HISTORY_START
        self.kernel = Kernel(self.settings)
        self.incidents = Incidents(self.settings)
        self._build()

    @property
    def now(self) -> datetime:
        """End of the last simulated day, aware UTC."""
        return self._now

    def _build(self) -> None:
        kernel, settings = self.kernel, self.settings
        self.suppliers = make_suppliers(settings)
        self.customers = make_customers(settings)
        self.items = make_items(settings, self.suppliers)
        self.erp = Erp(kernel, self.incidents)
        self.oms = Oms(kernel)
        self.stock = Stock(self.erp, self.items)
        self.ledger = Ledger(kernel)
        self.desk = Desk(self.erp, self.oms, self.stock)
        self.carriers = Carriers(kernel, self.incidents)
        self.billing = Billing(self.erp, self.stock, self.ledger)
        self.changes = Changes(self.desk, self.items, self.ledger)
        self.backorders = Backorders(self.desk, self.changes, self.ledger)
        first_day = (HISTORY_START - timedelta(days=1)).date()
        self.plans = [ShiftPlan(n, first_day, self.incidents.nights) for n in range(len(SITES))]
        self.outboxes = [Outbox(n, self.plans[n], self.stock) for n in range(len(SITES))]
        self.returns = Returns(self.desk, self.billing, self.outboxes, self.plans)
        self.floors = [
            Floor(
                n,
                self.plans[n],
                self.desk,
                self.outboxes[n],
                self.carriers,
                self.ledger,
                self.backorders.close,
                self._bill,
            )
            for n in range(len(SITES))
        ]
        self.desk.start_work = self._start_work
        self.entry = Entry(self.desk, self.changes, self.ledger)
        self.demand = Demand(self.entry, self.customers, self.items, self.incidents)
        lines = settings.orders_per_day * 5.2 / 7 * LINES_PER_ORDER
        self.purchasing = Purchasing(
            self.desk, self.items, self.suppliers, self._site_shares(), lines, self.outboxes, self.plans
        )
        self._begin()

    def _begin(self) -> None:
        write_codes(self.erp)
        write_customers(self.erp, self.customers)
        write_suppliers(self.erp, self.suppliers)
        write_items(self.erp, self.items)
        self.purchasing.open_stock()
        self.kernel.process(self.demand.run())
        self.kernel.process(self.purchasing.run())
        for floor, outbox in zip(self.floors, self.outboxes, strict=True):
            self.kernel.process(floor.run_waves())
            self.kernel.process(outbox.run_shifts())
            self.kernel.process(outbox.run_snapshots())

    def _site_shares(self) -> list[float]:
        shares = [0.0] * len(SITES)
        total = sum(c.weight * c.bulk for c in self.customers)
        for customer in self.customers:
            shares[SHIP_ZONES[customer.zone][1][0]] += customer.weight * customer.bulk / total
        return shares

    def home_site(self, customer: Customer) -> int:
        """Index of the site that serves a customer by default."""
        return int(SHIP_ZONES[customer.zone][1][0])

    def _start_work(self, work: WarehouseOrder) -> None:
        self.floors[work.site].start(work)

    def _bill(self, shipment: Shipment) -> None:
        self.billing.bill(shipment)
        self.returns.consider(shipment)

    def advance(self, until: datetime, progress: Progress | None = None) -> Emission:
        """Let whole days pass up to `until` (a part of a day waits for the next call) and return what was written."""
        days = (until - self._now) // timedelta(days=1)
        if days <= 0:
            return Emission()
        self.erp.detailed = days <= DETAILED_DAYS
        with _no_collection():
            for day in range(days):
                self._now += timedelta(days=1)
                self.kernel.env.run(until=instant(self._now))
                if progress:
                    progress(day + 1, days)
            files = [file for outbox in self.outboxes for file in outbox.drain()]
            return Emission(self.erp.drain(), self.oms.drain(), files, self.carriers.drain())

    def truth(self) -> list[dict[str, Any]]:
        """True KPI cells as of `now`."""
        return truth_rows(self.ledger, instant(self._now))

    def exceptions(self) -> list[dict[str, Any]]:
        """Every injected exception that has begun: kind, key, start, end (None while open) and detail, in UTC."""
        now = instant(self._now)
        return [
            {
                "kind": e.kind,
                "key": e.key,
                "start": zulu(e.start),
                "end": zulu(e.end) if e.end else None,
                "detail": e.detail,
            }
            for e in self.kernel.exceptions
            if e.start <= now
        ]

    def incident_rows(self) -> list[dict[str, str]]:
        """Incidents that have begun, with start and end."""
        return self.incidents.rows(instant(self._now))

    def clock(self) -> datetime:
        """The simulation's own clock, for progress displays."""
        return utc(self.kernel.now)
