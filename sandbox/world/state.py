"""The simulation's own state: what a customer asked for, what the ERP calls it, and where the goods are.

A `RootLine` is a customer's line with its quantity vector. The ERP splits it into `Segment`s (order lines of the order
or of its backorder children). Quantities are eaches, money is cents, instants are seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from .company import Site
from .items import Item
from .parties import Customer

Row = dict[str, Any]


@dataclass(slots=True, eq=False)
class OmsOrder:
    """An order as the order management system holds it."""

    seq: int
    number: str
    customer: Customer
    channel: int
    po: str
    created: int
    updated: int
    status: str = "accepted"
    is_test: bool = False
    lines: list[RootLine] = field(default_factory=list)
    promises: list[tuple[date, int]] = field(default_factory=list)
    holds: list[Row] = field(default_factory=list)
    changes: list[Row] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class RootLine:
    """One customer line. The vector: ordered + amended = unallocated + allocated + released + picked + shipped
    + cancelled_customer + cancelled_seller + substituted, with over-shipment apart."""

    root: Order
    number: int | None
    item: Item
    ordered: int
    price_cents: int
    oms_price_cents: int
    substitute_of: RootLine | None = None
    amended: int = 0
    unallocated: int = 0
    allocated: int = 0
    released: int = 0
    picked: int = 0
    shipped: int = 0
    over: int = 0
    cancelled_customer: int = 0
    cancelled_seller: int = 0
    substituted: int = 0
    by_customer: list[tuple[int, int]] = field(default_factory=list)
    sent: list[int] | None = None
    cause: str | None = None
    segments: list[Segment] = field(default_factory=list)

    def balance(self) -> int:
        """Zero when the vector's identity holds."""
        return (
            self.ordered + self.amended - self.unallocated - self.allocated - self.released - self.picked - self.shipped
            - self.cancelled_customer - self.cancelled_seller - self.substituted
        )  # fmt: skip

    @property
    def wanted(self) -> int:
        """What the customer still wants in all, shipped or not."""
        return self.ordered + self.amended - self.cancelled_customer


@dataclass(slots=True, eq=False)
class Segment:
    """An ERP order line. `open` is what no release has taken yet; `held` is the reserved part of it by site index."""

    line_id: int
    line: RootLine
    order: Order
    parent: Segment | None
    open: int
    row: Row
    held: dict[int, int] = field(default_factory=dict)
    reserved: list[tuple[int, Row]] = field(default_factory=list)
    shipped: int = 0
    departed: int = 0
    billed: int = 0


@dataclass(slots=True, eq=False)
class Order:
    """An ERP order: a root order or one link of its backorder chain."""

    order_id: int
    oms: OmsOrder
    customer: Customer
    site: int
    root: Order
    depth: int
    commit: date
    release_from: int
    last_call: int
    carriage: str
    row: Row
    segments: list[Segment] = field(default_factory=list)
    releases: int = 0
    in_flight: int = 0
    child: Order | None = None
    blocked: int = 0
    held_seconds: int = 0
    stuck_until: int = 0
    asleep_until: int = 0
    has_children: bool = False

    @property
    def is_root(self) -> bool:
        """True for the order the customer placed."""
        return self.depth == 0


@dataclass(slots=True, eq=False)
class WarehouseLine:
    """What one site is asked to send of one segment; `backed` is the reserved part."""

    segment: Segment
    requested: int
    backed: int
    picked: int = 0
    over: int = 0


@dataclass(slots=True, eq=False)
class Release:
    """One release event of an order, shared by all sites that take part."""

    key: str
    order: Order
    number: int
    at: int
    pending: int = 0
    shorts: list[tuple[Segment, int]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class WarehouseOrder:
    """The part of a release that one site works on."""

    key: str
    release: Release
    site: int
    lines: list[WarehouseLine]


@dataclass(slots=True, eq=False)
class Carton:
    """A handling unit with its contents (warehouse line, quantity)."""

    sscc: str
    contents: list[tuple[WarehouseLine, int]]


@dataclass(slots=True, eq=False)
class Shipment:
    """A physical shipment of one warehouse order."""

    number: str
    work: WarehouseOrder
    site: Site
    carrier: str | None
    carrier_code: str
    service: str
    tracking: str | None
    shipped: int
    labelled: int
    cartons: list[Carton]
    weight_grams: int
    void: bool = False
    read_as: tuple[int, int] = (0, 0)
    delivered: int | None = None
    delivered_date_only: bool = False
    invoiced_at: int | None = None
    invoice_date: date | None = None

    def quantities(self) -> dict[Segment, int]:
        """Shipped quantity by segment."""
        total: dict[Segment, int] = {}
        for carton in self.cartons:
            for line, qty in carton.contents:
                total[line.segment] = total.get(line.segment, 0) + qty
        return total
