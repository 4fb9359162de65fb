"""The knobs of the simulated world, with the ratios of the world specification as defaults.

Probabilities are per order, per line, per shipment or per invoice as the comment says. A default that differs from the
published ratio it aims at is a cause, not the ratio itself: for instance `split_alt` is the chance that another site
helps out, which makes about one order in ten a split one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

DAY_END_HOUR_UTC = 10
"""A simulated day ends when no shift, no carrier and no batch is under way in any zone: 10:00 UTC."""

HISTORY_START = datetime(2023, 10, 2, DAY_END_HOUR_UTC, tzinfo=UTC)
"""A Monday, five weeks before a clock change, so that even a short history holds a repeated hour."""


@dataclass(frozen=True)
class Settings:
    """Sizes and ratios of one world; frozen, so that a seed and its settings fix every byte."""

    seed: int = 1
    days: int = 730
    orders_per_day: float = 25.0
    items: int = 1200
    customers: int = 400
    suppliers: int = 40

    # per order
    stock_up: float = 0.03
    amend: float = 0.085
    cancel_order: float = 0.014
    cancel_line: float = 0.0095  # per line
    credit_hold: float = 0.042
    hold_cancelled: float = 0.05
    oms_hold: float = 0.015
    stuck: float = 0.0105
    own_truck: float = 0.22
    pick_up: float = 0.03
    test_order: float = 0.003

    # per line
    price_override: float = 0.10
    edi_price_mismatch: float = 0.025
    free_line: float = 0.003
    phantom: float = 0.0125
    damaged: float = 0.0006
    over_ship: float = 0.001
    split_alt: float = 0.33
    substitute_short: float = 0.12
    seller_cancel_short: float = 0.085
    backorder_cancel: float = 0.13
    return_line: float = 0.02
    unbilled_line: float = 0.005

    # per shipment or invoice
    two_parcels: float = 0.18
    void: float = 0.003
    late_invoice: float = 0.03
    doubled_invoice: float = 0.0005
    credit_without_goods: float = 0.012
    weekly_customers: float = 0.10
    lost_scan: float = 0.012
    never_tendered: float = 0.005
    doubled_scan: float = 0.015
    out_of_order_scan: float = 0.025
    ltl_date_only: float = 0.30

    # supply
    supplier_on_time: float = 0.82
    po_line_partial: float = 0.12
    po_line_allocated: float = 0.05  # the supplier itself is short for weeks
    service_z: float = 2.7
    service_z_import: float = 0.75
    lead_cv: float = 0.35
