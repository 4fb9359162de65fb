"""The order management system: whole order documents in UTC, with promises, holds and the customer's changes."""

from __future__ import annotations

from datetime import date
from typing import Any

from .clock import zulu
from .company import CHANNELS
from .kernel import Kernel
from .parties import Customer
from .state import OmsOrder, RootLine


class Oms:
    """All orders by sequence, and which of them changed since the last drain."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._dirty: dict[int, OmsOrder] = {}

    def open(self, customer: Customer, channel: int, po: str, is_test: bool) -> OmsOrder:
        """Accept an order now."""
        seq = self.kernel.number("oms")
        order = OmsOrder(seq, f"S-{seq:06d}", customer, channel, po, self.kernel.now, self.kernel.now, is_test=is_test)
        self._dirty[seq] = order
        return order

    def touch(self, order: OmsOrder, status: str | None = None) -> None:
        """Mark an order as changed now."""
        order.updated = self.kernel.now
        if status and order.status not in ("cancelled", "closed"):
            order.status = status
        self._dirty[order.seq] = order

    def promise(self, order: OmsOrder, promised: date) -> None:
        """Add the next version of the promise."""
        order.promises.append((promised, self.kernel.now))
        self.touch(order)

    def change(self, order: OmsOrder, line: RootLine, kind: str, old: int, new: int, reason: str) -> None:
        """Record a change that the customer asked for."""
        order.changes.append(
            {
                "id": f"C{len(order.changes) + 1}", "line": line.number, "kind": kind, "qty_from": old, "qty_to": new,
                "initiator": "customer", "reason": reason, "at": zulu(self.kernel.now),
            }
        )  # fmt: skip
        line.by_customer.append((self.kernel.now, new - old))
        self.touch(order)

    def hold(self, order: OmsOrder, kind: str) -> dict[str, Any]:
        """Place a hold now; the returned document is filled in on release."""
        hold = {
            "id": f"H{len(order.holds) + 1}", "kind": kind, "placed_at": zulu(self.kernel.now),
            "released_at": None, "released_by": None,
        }  # fmt: skip
        order.holds.append(hold)
        self.touch(order, "held")
        return hold

    def release(self, order: OmsOrder, hold: dict[str, Any], by: str) -> None:
        """Lift a hold now."""
        hold.update(released_at=zulu(self.kernel.now), released_by=by)
        self.touch(order, "accepted")

    def drain(self) -> list[dict[str, Any]]:
        """Documents of the orders changed since the last call, by (updated_at, number)."""
        changed = sorted(self._dirty.values(), key=lambda o: (o.updated, o.number))
        self._dirty = {}
        return [document(order) for order in changed]


def _line(line: RootLine) -> dict[str, Any]:
    wanted = line.wanted
    status = "cancelled" if wanted <= 0 else "shipped" if line.shipped + line.over >= wanted else "open"
    cents = line.oms_price_cents
    return {
        "line": line.number, "sku": str(line.item.item_id), "qty_ordered": line.ordered, "qty": wanted, "unit": "EA",
        "unit_price": f"{cents // 100}.{cents % 100:02d}", "status": status,
    }  # fmt: skip


def document(order: OmsOrder) -> dict[str, Any]:
    """The order as the OMS's API shows it."""
    return {
        "number": order.number,
        "channel": CHANNELS[order.channel],
        "customer_ref": str(order.customer.customer_id),
        "customer_po": order.po,
        "created_at": zulu(order.created),
        "updated_at": zulu(order.updated),
        "status": order.status,
        "ship_to": {"postal_code": order.customer.postal_code, "zone": order.customer.zone},
        "is_test": order.is_test,
        "lines": [_line(line) for line in order.lines],
        "promises": [
            {"version": n, "promised_date": day.isoformat(), "made_at": zulu(made)}
            for n, (day, made) in enumerate(order.promises, 1)
        ],
        "holds": [dict(hold) for hold in order.holds],
        "changes": [dict(change) for change in order.changes],
    }
