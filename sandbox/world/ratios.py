"""Every ratio of the world beside its band: what the simulation promises, measured on its own state."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .clock import DAY, HOUR, local_date, workdays_between
from .company import CHANNELS, ERP_ZONE
from .state import Order, RootLine

if TYPE_CHECKING:
    from .simulated import SimulatedWorld


@dataclass(frozen=True, slots=True)
class Ratio:
    """A measured value, its band, and the number of trials behind it (0 when it is no share)."""

    name: str
    value: float
    low: float
    high: float
    trials: int = 0

    @property
    def in_band(self) -> bool:
        """Inside the band, allowing a share three standard errors of chance."""
        error = 0.0
        if self.trials:
            middle = min(max((self.low + self.high) / 2, 0.001), 0.999)
            error = 3 * math.sqrt(middle * (1 - middle) / self.trials)
        return self.low - error <= self.value <= self.high + error

    def line(self) -> str:
        """One line of the printed table."""
        mark = " " if self.in_band else "!"
        return f"{mark} {self.name:44} {self.value:10.4f}   [{self.low:g}, {self.high:g}]   n={self.trials}"


def quantile(values: list[float], share: float) -> float:
    """Nearest-rank quantile; NaN over nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan


def share(name: str, hits: float, trials: int, low: float, high: float) -> Ratio:
    """A share of trials."""
    return Ratio(name, hits / trials if trials else math.nan, low, high, trials)


def top(weights: list[float], part: float = 0.2) -> float:
    """Share of the total that the top part holds."""
    ordered = sorted(weights, reverse=True)
    return sum(ordered[: max(1, int(len(ordered) * part))]) / (sum(ordered) or 1)


def ratios(world: SimulatedWorld) -> list[Ratio]:
    """All ratios of a world as of now."""
    orders = [o for o in world.ledger.orders if not o.oms.is_test]
    lines = [line for order in orders for line in order.oms.lines]
    return [
        *_demand(world, orders, lines),
        *_service(world, orders, lines),
        *_changes(world, orders, lines),
        *_money(world, lines),
        *_supply(world),
    ]


def _demand(world: SimulatedWorld, orders: list[Order], lines: list[RootLine]) -> Iterator[Ratio]:
    sizes = [float(len(o.oms.lines)) for o in orders]
    yield Ratio("lines per order, median", quantile(sizes, 0.5), 2, 4)
    yield Ratio("lines per order, mean", sum(sizes) / len(sizes), 4.3, 5.7)
    yield Ratio("lines per order, p99", quantile(sizes, 0.99), 27, 55)
    amounts = [float(line.ordered) for line in lines]
    yield Ratio("line quantity, median", quantile(amounts, 0.5), 2, 5)
    yield Ratio("line quantity, p99", quantile(amounts, 0.99), 60, 150)
    by_item = [0.0] * (len(world.items) + 1)
    value = [0.0] * (len(world.items) + 1)
    by_customer = [0.0] * (len(world.customers) + 1)
    for line in lines:
        by_item[line.item.item_id] += 1
        value[line.item.item_id] += line.ordered * line.price_cents
        by_customer[line.root.customer.customer_id] += line.ordered * line.price_cents
    yield Ratio("top 20 % of items, share of lines", top(by_item), 0.57, 0.68)
    yield Ratio("top 20 % of items, share of value", top(value), 0.72, 0.90)
    yield Ratio("top 20 % of customers, share of revenue", top(by_customer), 0.60, 0.80)
    weekdays = [0] * 7
    for order in orders:
        weekdays[local_date(order.oms.created, ERP_ZONE).weekday()] += 1
    middle = sum(weekdays[1:4]) / 3
    for day, name, low, high in ((0, "Monday", 1.0, 1.3), (4, "Friday", 0.78, 1.06), (5, "Saturday", 0.15, 0.36)):
        yield Ratio(f"orders on {name} beside midweek", weekdays[day] / middle, low, high)
    for channel, (low, high) in enumerate(((0.31, 0.49), (0.17, 0.33), (0.17, 0.33), (0.03, 0.13), (0.01, 0.07))):
        hits = sum(line.root.oms.channel == channel for line in lines)
        yield Ratio(f"lines by channel {CHANNELS[channel]}", hits / len(lines), low, high, len(orders))


def _service(world: SimulatedWorld, orders: list[Order], lines: list[RootLine]) -> Iterator[Ratio]:
    cells = {r["kpi_id"]: r for r in world.truth() if r["period"] == "total" and not r["dimensions"]}

    def cell(name: str) -> tuple[float, int]:
        return float(cells[name]["value"]), int(cells[name]["denominator"])

    line, n = cell("fill_rate_line_first_pass_strict")
    yield share("first-pass line fill", line * n, n, 0.93, 0.98)
    unit, _ = cell("fill_rate_unit_first_pass_strict")
    yield Ratio("first-pass unit fill below line fill", unit - line, -0.25, 0.0)
    whole, n = cell("fill_rate_order_first_pass_strict")
    yield share("first-pass order fill", whole * n, n, 0.80, 0.92)
    total = sum(world.ledger.causes.values())
    for cause, low, high in (
        ("no_stock", 0.55, 0.75), ("phantom_stock", 0.14, 0.26), ("hold", 0.04, 0.13), ("cut_off", 0.03, 0.11),
    ):  # fmt: skip
        yield share(f"shorts caused by {cause}", world.ledger.causes.get(cause, 0), total, low, high)
    waits = [float(workdays_between(local_date(a, ERP_ZONE), local_date(b, ERP_ZONE))) for a, b in world.ledger.waits]
    if world.settings.days >= 300:
        yield Ratio("backorder age to ship, median workdays", quantile(waits, 0.5), 3, 9)
        yield Ratio("backorder age to ship, p90 workdays", quantile(waits, 0.9), 18, 42)
    sites: dict[Order, set[int]] = {}
    for shipment in world.ledger.shipments:
        if not shipment.void:
            sites.setdefault(shipment.work.release.order.root, set()).add(shipment.site.site_id)
    yield share("orders split over sites", sum(len(s) > 1 for s in sites.values()), len(sites), 0.06, 0.14)
    moved = sum(1 for o in orders if o.site != world.home_site(o.customer))
    yield share("orders from an alternate site", moved, len(orders), 0.015, 0.045)
    yield share("lines substituted", sum(line.substituted > 0 for line in lines), len(lines), 0.004, 0.013)
    own = sum(o.carriage == "own" for o in orders)
    yield share("orders on own trucks", own, len(orders), 0.15, 0.25)


def _changes(world: SimulatedWorld, orders: list[Order], lines: list[RootLine]) -> Iterator[Ratio]:
    amended = sum(any(line.amended for line in o.oms.lines) for o in orders)
    yield share("orders amended", amended, len(orders), 0.04, 0.08)
    yield share(
        "lines cancelled by the customer", sum(x.cancelled_customer > 0 for x in lines), len(lines), 0.012, 0.03
    )
    yield share("lines cut by the seller", sum(x.cancelled_seller > 0 for x in lines), len(lines), 0.003, 0.011)
    holds = [e for e in world.kernel.exceptions if e.kind == "credit_hold"]
    yield share("orders on credit hold", len(holds), len(orders), 0.025, 0.055)
    hours = [(e.end - e.start) / HOUR for e in holds if e.end]
    yield Ratio("credit hold, median hours", quantile(hours, 0.5), 1.5, 6)
    yield Ratio("credit hold, p90 hours", quantile(hours, 0.9), 14, 75)


def _money(world: SimulatedWorld, lines: list[RootLine]) -> Iterator[Ratio]:
    cells = {r["kpi_id"]: r for r in world.truth() if r["period"] == "total" and not r["dimensions"]}
    yield Ratio("gross margin", cells["gross_margin_rate"]["value"], 0.20, 0.30)
    billed = [b for b in world.ledger.billed if not b.is_credit and b.net > 0]
    yield share("invoice lines below cost", sum(b.cogs > b.net for b in billed), len(billed), 0.02, 0.06)
    edi = [x for x in lines if x.root.oms.channel == 0]
    mismatch = sum(x.price_cents != x.oms_price_cents for x in edi)
    yield share("EDI lines with a price mismatch", mismatch, len(edi), 0.013, 0.035)
    yield share("shipments invoiced the same day", world.billing.same_day, world.billing.invoices, 0.94, 0.98)
    weekly = sum(c.weekly_invoice for c in world.customers)
    yield share("customers invoiced weekly", weekly, len(world.customers), 0.07, 0.13)
    forgotten = sum(e.kind == "line_not_billed" for e in world.kernel.exceptions)
    yield share("shipped lines not billed", forgotten, len(lines), 0.003, 0.008)
    yield share("lines returned", len(world.returns.facts), len(lines), 0.012, 0.027)


def _supply(world: SimulatedWorld) -> Iterator[Ratio]:
    buying = world.purchasing
    yield share("receipts on time", buying.received_lines - buying.late_lines, buying.received_lines, 0.74, 0.92)
    sent = [s for s in world.ledger.shipments if s.tracking and not s.void]
    old = [s for s in sent if s.shipped < world.kernel.now - 12 * DAY]
    lost = sum(e.kind == "delivery_scan_lost" for e in world.kernel.exceptions)
    yield share("delivery scans lost", lost, len(old), 0.007, 0.018)
    freight = [s for s in sent if s.carrier == "LTL" and s.delivered]
    yield share("LTL proofs with a bare date", sum(s.delivered_date_only for s in freight), len(freight), 0.2, 0.4)
    voids = sum(s.void for s in world.ledger.shipments)
    yield share("shipments voided", voids, len(world.ledger.shipments), 0.001, 0.006)
