"""The ledger of truth: what really happened, noted when it happens and never read back from a document.

Times are instants; how finely a system could record one (a bare date, an hour that repeats) is part of the fact,
because a KPI must say what cannot be known better.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from .clock import HOUR, day_end, local_date, midnight, readings
from .company import CATEGORIES, ERP_ZONE, SITES
from .kernel import ExceptionFact, Kernel
from .state import Order, RootLine, Segment, Shipment


@dataclass(slots=True)
class Known:
    """An instant as its record can be read: central value and bounds."""

    at: int
    low: int
    high: int


@dataclass(slots=True, eq=False)
class BilledFact:
    """One invoice line (positive) or credit line (negative), in cents."""

    is_credit: bool
    posted: date
    site: str
    category: str
    family: str
    net: int
    cogs: int


def naive(at: int, zone: str) -> Known:
    """How a naive local time with seconds can be read; in a repeated hour the first pass is the central reading."""
    low, high = readings(at, zone)
    return Known(low, low, high)


class Ledger:
    """Facts of the whole history."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.orders: list[Order] = []
        self.shipments: list[Shipment] = []
        self.billed: list[BilledFact] = []
        self.departed: list[Segment] = []
        self.shorts: dict[RootLine, ExceptionFact] = {}
        self.causes: dict[str, int] = {}
        self.waits: list[tuple[int, int]] = []
        self.abandoned = 0

    def entered(self, order: Order) -> None:
        """A customer's order has entered the ERP."""
        self.orders.append(order)

    def effective(self, line: RootLine) -> int:
        """What the customer wanted by the commit deadline: ordered, less what they took off before it."""
        deadline = day_end(line.root.commit, SITES[line.root.site].zone)
        return max(0, line.ordered + sum(delta for at, delta in line.by_customer if at < deadline))

    def short(self, line: RootLine, cause: str) -> None:
        """A line is short; the first cause is the cause. Stock that went to others during a long hold is the hold's."""
        if cause == "no_stock" and line.root.held_seconds > 6 * HOUR:
            cause = "hold"
        if line.cause is None and not line.substitute_of:
            line.cause = cause
            self.causes[cause] = self.causes.get(cause, 0) + 1
            key = f"{line.root.order_id}/{line.number or 0}"
            self.shorts[line] = self.kernel.exception("short", key, cause)

    def _settled(self, line: RootLine) -> None:
        fact = self.shorts[line]
        if fact.end is None:
            fact.end = self.kernel.now
            self.waits.append((fact.start, fact.end))

    def given_up(self, line: RootLine) -> None:
        """What was short of a line will not come any more: cancelled or substituted."""
        fact = self.shorts.get(line)
        if fact is not None and fact.end is None:
            fact.end = self.kernel.now
            self.abandoned += 1

    def shipped(self, shipment: Shipment) -> None:
        """A shipment has left, or a void one was announced.

        Sums per root line, `sent`: with the root order's first release; by the end of the commit date as recorded; in
        all; certainly and possibly by the end of the commit date.
        """
        self.shipments.append(shipment)
        shipment.read_as = low, high = readings(shipment.shipped, shipment.site.zone)
        order = shipment.work.release.order
        root = order.root
        first = order is root and shipment.work.release.number == 1
        deadline = day_end(root.commit, SITES[root.site].zone)
        for segment, qty in shipment.quantities().items():
            line = segment.line
            if not shipment.void:
                line.sent = sent = line.sent or [0, 0, 0, 0, 0]
                sent[0] += qty * first
                sent[1] += qty * (low < deadline)
                sent[2] += qty
                sent[3] += qty * (high <= deadline)
                sent[4] += qty * (low < deadline)
                if not segment.departed:
                    self.departed.append(segment)
                segment.departed += qty
            if not shipment.void and line in self.shorts and line.shipped + line.over >= line.ordered + line.amended:
                self._settled(line)

    def bill(
        self, is_credit: bool, posted: date, order: Order, segment: Segment, qty: int, net: int, cogs: int
    ) -> None:
        """An invoice or credit line was posted; its site is the site of the order it belongs to."""
        category, site = CATEGORIES[order.customer.category], SITES[order.site].code
        if not is_credit:
            segment.billed += qty
        self.billed.append(BilledFact(is_credit, posted, site, category, segment.line.item.family_name, net, cogs))


def shipped_known(shipment: Shipment) -> Known:
    """The ship instant as the warehouse's local clock recorded it."""
    low, high = shipment.read_as
    return Known(low, low, high)


def delivered_known(shipment: Shipment) -> Known | None:
    """The delivery as its carrier recorded it: exact, or the whole local day with its last second as central value."""
    if shipment.delivered is None or shipment.void:
        return None
    zone = shipment.work.release.order.customer.zone
    if not shipment.delivered_date_only:
        return Known(shipment.delivered, shipment.delivered, shipment.delivered)
    day = local_date(shipment.delivered, zone)
    low, high = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    return Known(high - 1, low, high)


def invoiced_known(shipment: Shipment) -> Known | None:
    """Creation of the shipment's earliest invoice on the ERP's local clock."""
    return None if shipment.invoiced_at is None else naive(shipment.invoiced_at, ERP_ZONE)
