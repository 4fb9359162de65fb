"""From the OMS into the ERP: order entry, credit and other holds, first allocation, the deadline's look back."""

from __future__ import annotations

from .chance import Chance
from .changes import Changes
from .clock import HOUR, day_end
from .company import SITES
from .desk import Desk
from .erp_orders import add_segment, order_row, write_hold
from .items import Item
from .kernel import soon
from .ledger import Ledger
from .parties import Customer
from .promising import promise
from .state import Order, RootLine

Wanted = tuple[Item, int, int, int]
"""A line as asked for: item, quantity, price in cents, price in the customer's document in cents."""


class Entry:
    """Accepts orders and carries them into the ERP."""

    def __init__(self, desk: Desk, changes: Changes, ledger: Ledger) -> None:
        self.desk, self.changes, self.ledger = desk, changes, ledger
        self.erp, self.oms, self.kernel = desk.erp, desk.oms, desk.kernel
        self.settings = self.kernel.settings
        self._chance: Chance = self.kernel.chance("entry")

    def accept(self, customer: Customer, channel: int, lines: list[Wanted], urgent: bool = False) -> None:
        """The OMS accepts an order now; the ERP learns of it within a minute, or after its outage."""
        chance = self._chance
        is_test = chance.random() < self.settings.test_order
        po = f"PO-{customer.customer_id}-{self.kernel.number(f'po{customer.customer_id}', 1)}"
        oms = self.oms.open(customer, channel, po, is_test)
        plan = promise(self.settings, chance, customer, self.kernel.now)
        oms.promises.append((plan.commit, self.kernel.now))
        order = Order(
            order_id=0, oms=oms, customer=customer, site=plan.site, root=None, depth=0, commit=plan.commit,  # type: ignore[arg-type]
            release_from=self.kernel.now if urgent else plan.release_from, last_call=plan.last_call,
            carriage=plan.carriage, row={},
        )  # fmt: skip
        order.root = order
        for number, (item, qty, price, shown) in enumerate(lines, 1):
            line = RootLine(order, number, item, qty, price, shown, unallocated=qty)
            oms.lines.append(line)
        self.erp.post(self.kernel.now + chance.between(4, 55), self._enter, order)

    def _enter(self, order: Order) -> None:
        chance, oms = self._chance, order.oms
        order.order_id = self.kernel.number("order", 1001)
        status = "Test" if oms.is_test else "Open"
        backorders = order.customer.backorder_child
        order.row = order_row(self.erp, order.order_id, oms, order.site, order.commit, backorders, status)
        self.erp.write("sales.orders", order.row)
        for line in oms.lines:
            add_segment(self.erp, order, line, line.ordered)
        self.ledger.entered(order)
        if oms.is_test:
            return
        self.kernel.at(day_end(order.commit, SITES[order.site].zone), self._look_back, order)
        held = chance.random() < self.settings.credit_hold * order.customer.hold_risk
        if held:
            self._credit_hold(order)
        elif chance.random() < self.settings.oms_hold:
            self._oms_hold(order)
        else:
            self._allocate(order)
        if chance.random() < self.settings.stuck:
            order.stuck_until = self.kernel.now + int(chance.skewed(3.2, 0.5) * 24 * HOUR)
        self.desk.enqueue(order)
        self.changes.plan(order)

    def _allocate(self, order: Order) -> None:
        for segment in order.segments:
            if segment.open > 0:
                self.desk.allocate(segment, order.site)

    def _credit_hold(self, order: Order) -> None:
        order.blocked += 1
        row = write_hold(self.erp, order, "credit")
        self.erp.touch("sales.orders", order.row, order_status="Held")
        self.kernel.exception("credit_hold", str(order.order_id))
        seconds = soon(self._chance, 3.2 * HOUR, 2.1, 20 * 24 * HOUR)
        fact = self.kernel.exceptions[-1]
        cancel = self._chance.random() < self.settings.hold_cancelled
        order.held_seconds += seconds

        def lift() -> None:
            order.blocked -= 1
            row.update(released_when=self.erp.clock(), released_by="credit desk" if not cancel else "cancelled")
            self.erp.write("sales.order_holds", row)
            fact.end = self.kernel.now
            if cancel:
                self.changes.seller_cancels(order, "credit")
            else:
                self.erp.touch("sales.orders", order.row, order_status="Open")
                self._allocate(order)

        self.erp.post(self.kernel.now + seconds, lift)

    def _oms_hold(self, order: Order) -> None:
        order.blocked += 1
        kind = self._chance.choice(("address", "price", "price", "fraud"))
        hold = self.oms.hold(order.oms, kind)
        seconds = soon(self._chance, 1.5 * HOUR, 1.1, 72 * HOUR)
        order.held_seconds += seconds

        def lift() -> None:
            order.blocked -= 1
            self.oms.release(order.oms, hold, self._chance.choice(("j.ortiz", "m.lee", "a.novak")))
            self._allocate(order)

        self.erp.post(self.kernel.now + seconds, lift)

    def _look_back(self, order: Order) -> None:
        """At the end of the commit date: every line that is short by now gets the one cause that stopped it."""
        for line in order.oms.lines:
            if line.cause is None and line.shipped + line.over < self.ledger.effective(line):
                if line.unallocated > 0 and not order.held_seconds and order.stuck_until == 0:
                    cause = "no_stock"
                elif order.held_seconds > HOUR:
                    cause = "hold"
                elif line.unallocated > 0 and order.stuck_until < self.kernel.now:
                    cause = "no_stock"
                else:
                    cause = "cut_off"
                self.ledger.short(line, cause)
