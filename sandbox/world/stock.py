"""Stock by site and item: what the warehouse system books, what is reserved, and the ERP's ledger.

The ERP's on hand follows the warehouse by posted stock transactions, so that per item and site the sum of transactions
equals the holding at every instant.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .clock import local
from .company import ERP_ZONE, SITES
from .erp import Erp, dollars4
from .items import Item
from .state import Row


class Stock:
    """The stock of all sites; indices are [site index][item id]."""

    def __init__(self, erp: Erp, items: list[Item]) -> None:
        self.erp = erp
        self.kernel = erp.kernel
        size = len(items) + 1
        self.booked = [[0] * size for _ in SITES]
        self.reserved = [[0] * size for _ in SITES]
        self.on_hand = [[0] * size for _ in SITES]
        self.moved = [[0] * size for _ in SITES]
        self.cost4 = [[item.cost4 for item in [items[0], *items]] for _ in SITES]
        self._touched: list[dict[int, None]] = [{} for _ in SITES]
        self._holdings: list[dict[int, Row]] = [{} for _ in SITES]

    def open(self, site: int, item: Item, qty: int) -> None:
        """Opening balance of one item at one site."""
        self.booked[site][item.item_id] = qty
        self._touched[site][item.item_id] = None
        self._holdings[site][item.item_id] = {
            "stock_item_holding_id": self.kernel.number("holding"),
            "stock_item_id": item.item_id,
            "site_id": SITES[site].site_id,
            "quantity_on_hand": 0,
            "last_cost_price": dollars4(self.cost4[site][item.item_id]),
            "last_edited_when": self.erp.clock(),
        }
        self.post(site, item.item_id, 14, qty, self.kernel.now)

    def available(self, site: int, item_id: int) -> int:
        """Booked and not reserved."""
        return self.booked[site][item_id] - self.reserved[site][item_id]

    def reserve(self, site: int, item_id: int, qty: int) -> None:
        """Set a quantity aside (negative gives it back)."""
        self.reserved[site][item_id] += qty
        self._touched[site][item_id] = None

    def move(self, site: int, item_id: int, qty: int) -> None:
        """Goods come or go at the warehouse."""
        self.booked[site][item_id] += qty
        self._touched[site][item_id] = None

    def post(self, site: int, item_id: int, kind: int, qty: int, occurred: int, **links: Any) -> None:
        """Write a stock transaction and the holding. `links`: customer_id, supplier_id, purchase_order_id."""
        self.on_hand[site][item_id] += qty
        self.moved[site][item_id] += qty
        stamp = self.erp.clock()
        self.erp.write(
            "warehouse.stock_item_transactions",
            {
                "stock_item_transaction_id": self.kernel.number("stock_transaction"),
                "stock_item_id": item_id,
                "site_id": SITES[site].site_id,
                "transaction_type_id": kind,
                "customer_id": links.get("customer_id"),
                "invoice_id": None,
                "supplier_id": links.get("supplier_id"),
                "purchase_order_id": links.get("purchase_order_id"),
                "transaction_occurred_when": local(occurred, ERP_ZONE),
                "quantity": Decimal(qty).quantize(Decimal("0.001")),
                "last_edited_when": stamp,
            },
        )
        holding = self._holdings[site][item_id]
        holding["quantity_on_hand"] = self.on_hand[site][item_id]
        holding["last_cost_price"] = dollars4(self.cost4[site][item_id])
        holding["last_edited_when"] = stamp
        self.erp.write("warehouse.stock_item_holdings", holding)

    def changed(self, site: int) -> list[int]:
        """Items touched at a site since the last call, in id order."""
        touched = sorted(self._touched[site])
        self._touched[site] = {}
        return touched
