"""Invoices: most on the day of shipment, some weekly, some late, a few lines forgotten, a few invoices doubled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from .clock import DAY, HOUR, add_workdays, at_local, local_date
from .company import ERP_ZONE
from .erp import Erp, dollars, half_up, percent
from .ledger import Ledger
from .state import Order, Segment, Shipment
from .stock import Stock

WEEKLY_SECONDS = 18 * HOUR
Billed = tuple[Segment, int, Shipment]


@dataclass(slots=True)
class Charge:
    """How a segment was billed, kept for credits: invoice, price in cents and cost in hundredths of a cent."""

    invoice_id: int
    price_cents: int
    cost4: int


class Billing:
    """Turns shipments into invoices and invoices into credit notes."""

    def __init__(self, erp: Erp, stock: Stock, ledger: Ledger) -> None:
        self.erp, self.stock, self.ledger, self.kernel = erp, stock, ledger, erp.kernel
        self.settings = erp.kernel.settings
        self._chance = self.kernel.chance("billing")
        self._weekly: dict[date, dict[int, list[Shipment]]] = {}
        self.charges: dict[int, Charge] = {}
        self.invoices = 0
        self.same_day = 0

    def bill(self, shipment: Shipment) -> None:
        """Plan the invoice of a shipment that leaves now."""
        chance, now = self._chance, self.kernel.now
        customer = shipment.work.release.order.customer
        today = local_date(now, ERP_ZONE)
        if customer.weekly_invoice:
            friday = today + timedelta(days=(4 - today.weekday()) % 7)
            if friday not in self._weekly:
                at = at_local(friday, WEEKLY_SECONDS, ERP_ZONE) + chance.between(0, 2400)
                self._weekly[friday] = {}
                self.erp.post(max(at, now + 9 * HOUR if at < now else at), self._weekly_run, friday)
            self._weekly[friday].setdefault(shipment.work.release.order.order_id, []).append(shipment)
            return
        if chance.random() < self.settings.late_invoice:
            day = add_workdays(today + timedelta(days=1), 0 if chance.random() < 0.8 else 2)
            at = at_local(day, 7 * HOUR + chance.between(0, 3 * HOUR), ERP_ZONE)
            posted = today if chance.random() < 0.3 else None
        else:
            at, posted = now + chance.between(1100, 5200), None
        self.erp.post(at, self._invoice, shipment.work.release.order, [shipment], shipment, posted)

    def _weekly_run(self, friday: date) -> None:
        for shipments in self._weekly.pop(friday).values():
            order = shipments[0].work.release.order
            self._invoice(order, shipments, shipments[0] if len(shipments) == 1 else None, None)

    def _invoice(self, order: Order, shipments: list[Shipment], shipment: Shipment | None, posted: date | None) -> None:
        lines: list[Billed] = []
        for sent in shipments:
            for segment, qty in sent.quantities().items():
                if self._chance.random() < self.settings.unbilled_line:
                    self._forget(segment, qty, sent)
                else:
                    lines.append((segment, qty, sent))
        if not lines:
            return
        invoice_id = self.write(order, lines, shipment, posted or self.erp.today())
        for sent in shipments:
            if not order.customer.weekly_invoice:
                self.same_day += local_date(sent.shipped, ERP_ZONE) == (posted or self.erp.today())
                self.invoices += 1
        if self._chance.random() < self.settings.doubled_invoice:
            self.kernel.exception("invoice_doubled", str(invoice_id))
            self.erp.post(self.kernel.now + self._chance.between(600, 2 * DAY), self._double, order, lines, shipment)
        if self._chance.random() < self.settings.credit_without_goods:
            self.erp.post(self.kernel.now + self._chance.between(2 * DAY, 25 * DAY), self._goodwill, order, lines)

    def _forget(self, segment: Segment, qty: int, shipment: Shipment) -> None:
        fact = self.kernel.exception("line_not_billed", str(segment.line_id))
        if self._chance.random() < 0.7:

            def later() -> None:
                order = shipment.work.release.order
                self.write(order, [(segment, qty, shipment)], shipment, self.erp.today())
                fact.end = self.kernel.now

            self.erp.post(self.kernel.now + self._chance.between(2 * DAY, 15 * DAY), later)

    def _double(self, order: Order, lines: list[Billed], shipment: Shipment | None) -> None:
        invoice_id = self.write(order, lines, shipment, self.erp.today())
        credits = [(segment, qty, False, self.charges[segment.line_id].price_cents) for segment, qty, _ in lines]
        at = self.kernel.now + self._chance.between(4 * DAY, 18 * DAY)
        self.erp.post(at, self._credit_later, order, credits, "duplicate invoice", invoice_id)

    def _goodwill(self, order: Order, lines: list[Billed]) -> None:
        """A credit without goods: part of the price of one line is given back."""
        segment, qty, _ = self._chance.choice(lines)
        charge = self.charges[segment.line_id]
        if not charge.price_cents:
            return
        back = max(1, round(charge.price_cents * self._chance.choice((0.05, 0.1, 0.2))))
        reason = self._chance.choice(("price", "damage in transit", "short claim"))
        self.credit(order, [(segment, qty, False, back)], reason, charge.invoice_id)

    def write(self, order: Order, lines: list[Billed], shipment: Shipment | None, posted: date) -> int:
        """Write one invoice now; returns its number."""
        invoice_id = self._header(order, posted, shipment.number if shipment else None, None, None)
        net_total = tax_total = 0
        for segment, qty, sent in lines:
            item = segment.line.item
            price, cost4 = segment.line.price_cents, self.stock.cost4[sent.site.site_id - 1][item.item_id]
            net = price * qty
            profit = half_up((price * 100 - cost4) * qty, 100)
            tax_total += self._line(invoice_id, segment, qty, price, net, profit)
            net_total += net
            self.charges[segment.line_id] = Charge(invoice_id, price, cost4)
            self.ledger.bill(False, posted, order, segment, qty, net, net - profit)
        if shipment and shipment.invoiced_at is None:
            shipment.invoiced_at, shipment.invoice_date = self.kernel.now, posted
        self._transaction(order, 1, invoice_id, posted, net_total, tax_total)
        return invoice_id

    def credit(
        self, order: Order, parts: list[tuple[Segment, int, bool, int]], reason: str, credited: int | None
    ) -> int:
        """Write a credit note now. Parts: line, positive quantity, goods back in stock?, price given back per each."""
        posted = self.erp.today()
        invoice_id = self._header(order, posted, None, reason, credited)
        net_total = tax_total = 0
        for segment, qty, restocked, price in parts:
            net = -price * qty
            cost4 = self.charges[segment.line_id].cost4
            profit = -half_up((price * 100 - cost4) * qty, 100) if restocked else net
            tax_total += self._line(invoice_id, segment, -qty, price, net, profit)
            net_total += net
            self.ledger.bill(True, posted, order, segment, qty, net, net - profit)
        self._transaction(order, 2, invoice_id, posted, net_total, tax_total)
        return invoice_id

    def _credit_later(self, *arguments: Any) -> None:
        self.credit(*arguments)

    def _header(
        self, order: Order, posted: date, shipment: str | None, reason: str | None, credited: int | None
    ) -> int:
        invoice_id = self.kernel.number("invoice", 70_001)
        self.erp.write(
            "sales.invoices",
            {
                "invoice_id": invoice_id,
                "customer_id": order.customer.customer_id,
                "bill_to_customer_id": order.customer.bill_to,
                "order_id": order.order_id,
                "shipment_number": shipment,
                "invoice_date": posted,
                "is_credit_note": reason is not None,
                "credit_note_reason": reason,
                "credited_invoice_id": credited,
                "created_when": self.erp.clock(),
                "returned_delivery_data": None,
                "confirmed_delivery_time": None,
                "confirmed_received_by": None,
                "last_edited_when": self.erp.clock(),
            },
        )
        return invoice_id

    def _line(self, invoice_id: int, segment: Segment, qty: int, price: int, net: int, profit: int) -> int:
        item = segment.line.item
        tax = half_up(net * item.tax_permille, 1000)
        row: dict[str, Any] = {
            "invoice_line_id": self.kernel.number("invoice_line"),
            "invoice_id": invoice_id,
            "order_line_id": segment.line_id,
            "stock_item_id": item.item_id,
            "description": item.name,
            "quantity": qty,
            "unit_price": dollars(price),
            "tax_rate": percent(item.tax_permille),
            "tax_amount": dollars(tax),
            "line_profit": dollars(profit),
            "extended_price": dollars(net + tax),
            "last_edited_when": self.erp.clock(),
        }
        self.erp.write("sales.invoice_lines", row)
        return tax

    def _transaction(self, order: Order, kind: int, invoice_id: int | None, posted: date, net: int, tax: int) -> None:
        row: dict[str, Any] = {
            "customer_transaction_id": self.kernel.number("customer_transaction"),
            "customer_id": order.customer.bill_to,
            "transaction_type_id": kind,
            "invoice_id": invoice_id,
            "transaction_date": posted,
            "amount_excluding_tax": dollars(net),
            "tax_amount": dollars(tax),
            "transaction_amount": dollars(net + tax),
            "outstanding_balance": dollars(net + tax if kind == 1 else 0),
            "finalization_date": None if kind == 1 else posted,
            "last_edited_when": self.erp.clock(),
        }
        self.erp.write("sales.customer_transactions", row)
        if kind == 1:
            wait = order.customer.payment_days * DAY + self._chance.between(-2 * DAY, 9 * DAY)
            self.erp.post(self.kernel.now + max(DAY, wait), self._paid, order, invoice_id, row, net + tax)

    def _paid(self, order: Order, invoice_id: int, charge: dict[str, Any], amount: int) -> None:
        self.erp.touch(
            "sales.customer_transactions", charge, outstanding_balance=dollars(0), finalization_date=self.erp.today()
        )
        self._transaction(order, 3, invoice_id, self.erp.today(), -amount, 0)
