"""Returns: authorized, received at the dock, inspected, credited."""

from __future__ import annotations

from typing import Any

from .billing import Billing
from .clock import DAY, HOUR
from .company import SITES
from .desk import Desk
from .outbox import Outbox
from .shifts import ShiftPlan
from .state import Segment, Shipment

_REASONS = ("ordered wrong", "wrong item", "damaged", "not needed", "defective")


class Returns:
    """Some shipped lines come back, in full or in part."""

    def __init__(self, desk: Desk, billing: Billing, outboxes: list[Outbox], plans: list[ShiftPlan]) -> None:
        self.desk, self.billing, self.outboxes, self.plans = desk, billing, outboxes, plans
        self.erp, self.stock, self.kernel = desk.erp, desk.stock, desk.kernel
        self.settings = self.kernel.settings
        self._chance = self.kernel.chance("returns")
        self.facts: list[dict[str, int]] = []

    def consider(self, shipment: Shipment) -> None:
        """Decide, when a shipment leaves, which of its lines will come back."""
        back: list[tuple[Segment, int]] = []
        for segment, qty in shipment.quantities().items():
            if self._chance.random() < self.settings.return_line:
                back.append((segment, qty if self._chance.random() < 0.6 else self._chance.between(1, qty)))
        if back:
            wait = int(self._chance.skewed(9, 0.5) * DAY) + self._chance.between(0, 8 * HOUR)
            self.erp.post(self.kernel.now + wait, self._authorize, shipment, back)

    def _authorize(self, shipment: Shipment, back: list[tuple[Segment, int]]) -> None:
        order = shipment.work.release.order
        header: dict[str, Any] = {
            "return_id": self.kernel.number("return"),
            "customer_id": order.customer.customer_id,
            "order_id": order.order_id,
            "authorized_when": self.erp.clock(),
            "received_when": None,
            "credited_invoice_id": None,
            "last_edited_when": self.erp.clock(),
        }
        self.erp.write("sales.returns", header)
        lines: list[tuple[Segment, int, dict[str, Any], dict[str, int]]] = []
        for segment, qty in back:
            row: dict[str, Any] = {
                "return_line_id": self.kernel.number("return_line"),
                "return_id": header["return_id"],
                "order_line_id": segment.line_id,
                "stock_item_id": segment.line.item.item_id,
                "authorized_quantity": qty,
                "received_quantity": 0,
                "credited_quantity": 0,
                "reason": self._chance.choice(_REASONS),
                "disposition": None,
                "last_edited_when": self.erp.clock(),
            }
            self.erp.write("sales.return_lines", row)
            fact = {
                "authorized": qty,
                "open": qty,
                "received": 0,
                "expired": 0,
                "pending": 0,
                "credited": 0,
                "refused": 0,
            }
            self.facts.append(fact)
            lines.append((segment, qty, row, fact))
        site = shipment.site.site_id - 1
        at = self.kernel.now + int(self._chance.skewed(6, 0.4) * DAY)
        if self._chance.random() < 0.05:
            self.kernel.at(at + 30 * DAY, self._expire, lines)
            return
        at = self.plans[site].fit(at, 600, self._chance.between(900, 9000))
        self.kernel.at(at, self._receive, site, order, header, lines)

    def _expire(self, lines: list[Any]) -> None:
        for _, qty, _, fact in lines:
            fact["open"] -= qty
            fact["expired"] += qty

    def _receive(self, site: int, order: Any, header: dict[str, Any], lines: list[Any]) -> None:
        restocked: dict[int, bool] = {}
        for segment, qty, _, fact in lines:
            fact["open"] -= qty
            fact["received"] += qty
            fact["pending"] += qty
            item_id = segment.line.item.item_id
            restocked[segment.line_id] = self._chance.random() < 0.8
            if restocked[segment.line_id]:
                self.stock.move(site, item_id, qty)
                self.outboxes[site].event(
                    self.kernel.now, "put_away", order=order.order_id, line=segment.line_id, sku=item_id, qty=qty
                )
        received = self.kernel.now
        self.erp.post(
            received + self._chance.between(300, 5000), self._book, site, order, header, lines, restocked, received
        )

    def _book(
        self, site: int, order: Any, header: dict[str, Any], lines: list[Any], restocked: dict[int, bool], received: int
    ) -> None:
        self.erp.touch("sales.returns", header, received_when=self.erp.clock())
        for segment, qty, row, _ in lines:
            self.erp.touch("sales.return_lines", row, received_quantity=qty)
            if restocked[segment.line_id]:
                customer = order.customer.customer_id
                self.stock.post(site, segment.line.item.item_id, 13, qty, received, customer_id=customer)
        if any(restocked.values()):
            for segment, _, _, _ in lines:
                self.desk.received(site, segment.line.item.item_id)
        at = self.kernel.now + self._chance.between(DAY // 2, 4 * DAY)
        self.erp.post(at, self._settle, site, order, header, lines, restocked)

    def _settle(
        self, site: int, order: Any, header: dict[str, Any], lines: list[Any], restocked: dict[int, bool]
    ) -> None:
        """Inspect and credit; a few are refused; what was never billed is not credited."""
        parts = []
        for segment, qty, row, fact in lines:
            charge = self.billing.charges.get(segment.line_id)
            refused = charge is None or self._chance.random() < 0.04
            back = restocked[segment.line_id]
            fact["pending"] -= qty
            fact["refused" if refused else "credited"] += qty
            disposition = "restock" if back else "scrap"
            self.erp.touch("sales.return_lines", row, credited_quantity=0 if refused else qty, disposition=disposition)
            if charge is not None and not refused:
                parts.append((segment, qty, back, charge.price_cents))
        if parts:
            first = self.billing.charges[parts[0][0].line_id].invoice_id
            note = self.billing.credit(order, parts, f"return at {SITES[site].code}", first)
            self.erp.touch("sales.returns", header, credited_invoice_id=note)
