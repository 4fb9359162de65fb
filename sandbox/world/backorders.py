"""What happens to the rest when a release has shipped: cut it, substitute it, or carry it on.

The ERP's dialect: a line of which nothing shipped moves to a child order; a line that shipped in part stays, and a new
line on the child carries the remainder. There is at most one child per order, and chains may be of any depth. Customers
that do not take backorder children keep the rest on the same order, to be released again.
"""

from __future__ import annotations

from .changes import Changes
from .clock import add_workdays, local, local_date
from .company import ERP_ZONE, SITES
from .desk import Desk
from .erp_orders import add_segment, order_row
from .ledger import Ledger
from .state import Order, Release, Segment


class Backorders:
    """Closes releases."""

    def __init__(self, desk: Desk, changes: Changes, ledger: Ledger) -> None:
        self.desk, self.changes, self.ledger = desk, changes, ledger
        self.erp, self.kernel = desk.erp, desk.kernel
        self.settings = self.kernel.settings
        self._chance = self.kernel.chance("backorders")

    def close(self, release: Release) -> None:
        """All sites are done with a release: settle what is left of its order."""
        order = release.order
        order.in_flight -= 1
        for segment, short in release.shorts:
            segment.open += short
        left = [s for s in order.segments if s.open > 0]
        for segment in left:
            self.ledger.short(segment.line, "no_stock")
        kept = [s for s in left if not self._give_up(s)]
        if not kept:
            self._finish(order)
        elif order.customer.backorder_child:
            self._carry_on(order, kept)
        else:
            self.erp.touch("sales.orders", order.row, order_status="Part shipped")
            for segment in kept:
                self.changes.plan_backorder(segment.line)
            self.desk.enqueue(order)

    def _give_up(self, segment: Segment) -> bool:
        """True when the seller cuts the rest of a line instead of carrying it on."""
        if self._chance.random() < self.settings.seller_cancel_short:
            self.changes.cut(segment, self._chance.choice(("no stock", "discontinued", "no stock")))
            return True
        return False

    def _finish(self, order: Order) -> None:
        self.erp.touch("sales.orders", order.row, order_status="Shipped", picking_completed_when=self.erp.clock())
        lines = order.oms.lines
        if all(line.shipped + line.over >= line.wanted - line.cancelled_seller - line.substituted for line in lines):
            self.desk.oms.touch(order.oms, "closed")

    def _child(self, order: Order) -> Order:
        row = order_row(
            self.erp, self.kernel.number("order", 1001), order.oms, order.site, order.root.commit, True, "Backordered"
        )
        child = Order(
            order_id=row["order_id"], oms=order.oms, customer=order.customer, site=order.site, root=order.root,
            depth=order.depth + 1, commit=order.root.commit, release_from=self.kernel.now, last_call=self.kernel.now,
            carriage=order.carriage, row=row,
        )  # fmt: skip
        order.child = child
        order.root.has_children = True
        self.erp.write("sales.orders", row)
        return child

    def _carry_on(self, order: Order, left: list[Segment]) -> None:
        child = self._child(order)
        for segment in left:
            if self._chance.random() < self.settings.substitute_short and self.changes.substitute(segment, child):
                continue
            if segment.shipped == 0:
                order.segments.remove(segment)
                child.segments.append(segment)
                segment.order = child
                self.erp.touch("sales.order_lines", segment.row, order_id=child.order_id)
            else:
                rest = add_segment(self.erp, child, segment.line, segment.open, parent=segment)
                segment.open = 0
                self.desk.waiting.get(segment.line.item.item_id, {}).pop(segment.line_id, None)
                self.desk.allocate(rest, child.site)
            self.changes.plan_backorder(segment.line)
        done = local(self.kernel.now, ERP_ZONE)
        self.erp.touch(
            "sales.orders", order.row, backorder_order_id=child.order_id, order_status="Shipped",
            picking_completed_when=done,
        )  # fmt: skip
        self.desk.enqueue(child)
        lead = max((s.line.item.lead_days for s in child.segments), default=5)
        today = local_date(self.kernel.now, SITES[child.site].zone)
        self.desk.oms.promise(order.oms, add_workdays(today, min(30, lead)))
