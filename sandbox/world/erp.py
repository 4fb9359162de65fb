"""The ERP's tables as the world writes them: a journal of row images, naive local times, exact money.

Over a long stretch only each row's last image is kept, at the place of its first write; day by day every write is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from .base import RowChange
from .clock import local, local_date
from .company import ERP_ZONE
from .incidents import Incidents
from .kernel import Kernel
from .state import Row

KEYS = {
    "application.legal_entities": "legal_entity_id", "application.sites": "site_id",
    "application.channels": "channel_id", "application.delivery_methods": "delivery_method_id",
    "application.transaction_types": "transaction_type_id", "sales.customer_categories": "customer_category_id",
    "sales.buying_groups": "buying_group_id", "sales.customers": "customer_id", "sales.orders": "order_id",
    "sales.order_lines": "order_line_id", "sales.order_line_changes": "order_line_change_id",
    "sales.order_holds": "order_hold_id", "sales.reservations": "reservation_id", "sales.invoices": "invoice_id",
    "sales.invoice_lines": "invoice_line_id", "sales.customer_transactions": "customer_transaction_id",
    "sales.returns": "return_id", "sales.return_lines": "return_line_id", "warehouse.stock_groups": "stock_group_id",
    "warehouse.stock_items": "stock_item_id", "warehouse.stock_item_stock_groups": "stock_item_stock_group_id",
    "warehouse.stock_item_holdings": "stock_item_holding_id",
    "warehouse.stock_item_transactions": "stock_item_transaction_id",
    "purchasing.supplier_categories": "supplier_category_id", "purchasing.suppliers": "supplier_id",
    "purchasing.purchase_orders": "purchase_order_id", "purchasing.purchase_order_lines": "purchase_order_line_id",
}  # fmt: skip
"""Primary key column of every published table."""

LIVING = frozenset(
    f"{schema}.{table}"
    for schema, tables in {
        "sales": "orders order_lines order_holds reservations customer_transactions returns return_lines",
        "warehouse": "stock_items stock_item_holdings",
        "purchasing": "purchase_orders purchase_order_lines",
    }.items()
    for table in tables.split()
)
"""Tables whose rows the world may write again."""


@lru_cache(maxsize=100_000)
def dollars(cents: int) -> Decimal:
    """Cents as an exact amount with two decimals."""
    return Decimal(cents).scaleb(-2)


@lru_cache(maxsize=20_000)
def dollars4(hundredths: int) -> Decimal:
    """Hundredths of a cent as an exact amount with four decimals."""
    return Decimal(hundredths).scaleb(-4)


@lru_cache(maxsize=100)
def percent(permille: int) -> Decimal:
    """Tax rate in percent with three decimals."""
    return Decimal(permille * 100).scaleb(-3)


def half_up(numerator: int, denominator: int) -> int:
    """Integer division rounded half away from zero."""
    sign = -1 if numerator < 0 else 1
    return sign * ((abs(numerator) * 2 + denominator) // (2 * denominator))


class Erp:
    """Journal, number ranges and availability of the ERP."""

    def __init__(self, kernel: Kernel, incidents: Incidents) -> None:
        self.kernel = kernel
        self.incidents = incidents
        self.detailed = False
        self._pending: dict[tuple[str, Any], Row] = {}
        self._changes: list[RowChange] = []
        self._stamp: tuple[int, datetime] = (0, datetime.min)
        self._chance = kernel.chance("erp")

    def clock(self) -> datetime:
        """The ERP's own naive local time now."""
        if self._stamp[0] != self.kernel.now:
            self._stamp = (self.kernel.now, local(self.kernel.now, ERP_ZONE))
        return self._stamp[1]

    def today(self) -> date:
        """The ERP's local date."""
        return local_date(self.kernel.now, ERP_ZONE)

    def write(self, table: str, row: Row) -> None:
        """Insert or update one row; `row` may go on living and be written again."""
        if self.detailed:
            self._changes.append(RowChange("upsert", table, dict(row)))
        else:
            self._pending[(table, row[KEYS[table]])] = row

    def touch(self, table: str, row: Row, **values: Any) -> None:
        """Update columns of a living row, stamped now."""
        row.update(values, last_edited_when=self.clock())
        self.write(table, row)

    def post(self, moment: int, call: Callable[..., None], *args: Any) -> None:
        """Do something inside the ERP at an instant, or after the outage that holds it."""
        self.kernel.at(moment, self._try, call, args)

    def _try(self, call: Callable[..., None], args: tuple[Any, ...]) -> None:
        up = self.incidents.erp_up(self.kernel.now)
        if up > self.kernel.now:
            self.kernel.at(up + self._chance.between(20, 2400), self._try, call, args)
        else:
            call(*args)

    @property
    def is_up(self) -> bool:
        """False during an outage."""
        return self.incidents.erp_up(self.kernel.now) == self.kernel.now

    def drain(self) -> list[RowChange]:
        """What was written since the last call."""
        changes = self._changes
        for (table, _), row in self._pending.items():
            changes.append(RowChange("upsert", table, row.copy() if table in LIVING else row))
        self._pending, self._changes = {}, []
        return changes
