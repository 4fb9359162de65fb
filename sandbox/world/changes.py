"""Second thoughts: changes and cancellations by the customer (OMS); cuts, substitutes, prices by the seller (ERP)."""

from __future__ import annotations

from .clock import DAY, HOUR
from .desk import Desk
from .erp import dollars
from .erp_orders import add_segment, write_change
from .items import Item
from .kernel import soon
from .ledger import Ledger
from .state import Order, RootLine, Segment


class Changes:
    """Plans and carries out changes of open lines."""

    def __init__(self, desk: Desk, items: list[Item], ledger: Ledger) -> None:
        self.desk, self.items, self.ledger = desk, items, ledger
        self.erp, self.oms, self.kernel = desk.erp, desk.oms, desk.kernel
        self.settings = self.kernel.settings
        self._chance = self.kernel.chance("changes")
        self._families: dict[int, list[Item]] = {}
        for item in items:
            self._families.setdefault(item.family, []).append(item)

    def plan(self, order: Order) -> None:
        """Decide, when an order is entered, whether its customer will change it and when."""
        chance, now = self._chance, self.kernel.now
        if chance.random() < self.settings.amend:
            self.erp.post(now + soon(chance, 1.2 * HOUR, 1.1, 60 * HOUR), self._amend, order)
        if chance.random() < self.settings.cancel_order:
            self.erp.post(now + soon(chance, 1.5 * HOUR, 1.2, 72 * HOUR), self._cancel_all, order)
        for line in order.oms.lines:
            if chance.random() < self.settings.cancel_line:
                self.erp.post(now + soon(chance, 1.2 * HOUR, 1.2, 60 * HOUR), self._cancel, line, "changed mind")
        if order.oms.channel != 0 and chance.random() < 0.02:
            self.erp.post(now + soon(chance, 900, 1.0), self._reprice, order)

    def _open(self, line: RootLine) -> list[Segment]:
        if line.released or line.picked:
            return []
        return [s for s in line.segments if s.open > 0]

    def _amend(self, order: Order) -> None:
        lines = [line for line in order.oms.lines if self._open(line)]
        if not lines or order.releases:
            return
        line = self._chance.choice(lines)
        segment = self._open(line)[0]
        if self._chance.random() < 0.35:
            delta = max(1, round(segment.open * self._chance.choice((0.25, 0.5, 1.0))))
        else:
            delta = -max(1, round(segment.open * self._chance.choice((0.2, 0.3, 0.5))))
        if line.wanted + delta <= 0:
            return
        before = line.wanted
        if delta < 0:
            self.desk.shrink(segment, -delta)
        else:
            segment.open += delta
            line.unallocated += delta
            if not order.blocked:
                self.desk.allocate(segment, order.site)
        line.amended += delta
        self.oms.change(order.oms, line, "quantity", before, line.wanted, "customer changed quantity")

    def _cancel_all(self, order: Order) -> None:
        if order.releases:
            return
        for line in order.oms.lines:
            self._cancel(line, "order cancelled")
        if all(line.wanted <= 0 for line in order.oms.lines):
            self.oms.touch(order.oms, "cancelled")
            self.erp.touch("sales.orders", order.row, order_status="Cancelled")

    def _cancel(self, line: RootLine, reason: str) -> None:
        """The customer cancels what is still open of a line."""
        segments = self._open(line)
        qty = sum(s.open for s in segments)
        if not qty:
            return
        before = line.wanted
        for segment in segments:
            self.desk.shrink(segment, segment.open)
        line.cancelled_customer += qty
        self.ledger.given_up(line)
        kind = "cancel" if line.wanted <= 0 else "quantity"
        self.oms.change(line.root.oms, line, kind, before, line.wanted, reason)
        if all(other.wanted <= 0 for other in line.root.oms.lines):
            self.oms.touch(line.root.oms, "cancelled")

    def plan_backorder(self, line: RootLine) -> None:
        """Some customers do not wait for a backorder."""
        if line.number is not None and self._chance.random() < self.settings.backorder_cancel:
            wait = int(self._chance.skewed(2.5, 0.8) * DAY)
            self.erp.post(self.kernel.now + wait, self._cancel, line, "no longer needed")

    def _reprice(self, order: Order) -> None:
        segment = self._chance.choice(order.segments) if order.segments and not order.releases else None
        if segment is None or segment.open <= 0 or segment.order is not order or segment.line.price_cents == 0:
            return
        line = segment.line
        line.price_cents = max(1, round(line.price_cents * self._chance.choice((0.95, 0.97, 1.02))))
        self.erp.touch("sales.order_lines", segment.row, unit_price=dollars(line.price_cents))
        write_change(self.erp, segment, "price", line.ordered, line.ordered, "agreement applied")

    def seller_cancels(self, order: Order, reason: str) -> None:
        """The seller cancels everything still open on an order."""
        for segment in order.segments:
            if segment.open > 0:
                self.cut(segment, reason)
        self.erp.touch("sales.orders", order.row, order_status="Cancelled")
        self.oms.touch(order.oms, "cancelled" if order.is_root else None)

    def cut(self, segment: Segment, reason: str) -> None:
        """The seller cancels the open part of one line."""
        qty = segment.open
        self.desk.shrink(segment, qty)
        segment.line.cancelled_seller += qty
        self.ledger.given_up(segment.line)
        kind = "quantity" if segment.shipped else "cancel"
        write_change(self.erp, segment, kind, segment.shipped + qty, segment.shipped, reason)
        self.oms.touch(segment.order.oms)

    def substitute(self, segment: Segment, order: Order) -> Segment | None:
        """Replace the open part of a line by a like item that is in stock at the order's site, on a line of `order`."""
        line, qty = segment.line, segment.open
        price = line.item.price_cents
        for item in self._chance.sample(
            self._families[line.item.family], min(12, len(self._families[line.item.family]))
        ):
            near = price * 0.6 <= item.price_cents <= price * 1.7
            if item is line.item or not near or self.desk.stock.available(order.site, item.item_id) < qty:
                continue
            self.desk.shrink(segment, qty)
            line.substituted += qty
            self.ledger.given_up(line)
            write_change(self.erp, segment, "substitute", segment.shipped + qty, segment.shipped, "substituted")
            other = RootLine(
                line.root, None, item, qty, max(1, line.price_cents), line.price_cents, line, unallocated=qty
            )
            made = add_segment(self.erp, order, other, qty, substitute_for=segment.line_id)
            self.desk.allocate(made, order.site)
            self.oms.touch(order.oms)
            return made
        return None
