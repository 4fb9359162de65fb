"""Shipped and not invoiced, as of now (catalog/billing.yaml). Quantities are times 10^4, amounts times 10^8."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from .cells import Sum, sum_cells
from .orders import posted, roots_in_scope
from .reader import Frames


def shipped_not_invoiced(frames: Frames, as_of: datetime) -> pl.DataFrame:
    """Cells of the two snapshot KPIs, period `total` only; see `cells.SCHEMA`. `as_of` is naive UTC."""
    lines = shipped_lines(frames, as_of)
    dimensions = ("site", "customer_category", "item_group")
    amount = Sum("shipped_not_invoiced_amount", "open_amount_e8", exponent=8)
    count = Sum("shipped_not_invoiced_lines", "is_open")
    return sum_cells(lines, (amount, count), dimensions, as_of, kinds=("total",))


def shipped_lines(frames: Frames, as_of: datetime) -> pl.DataFrame:
    """One row per shipped order line of a root order in scope: value and flag of what is shipped beyond what is
    invoiced."""
    shipped = (
        frames["can_shipment_line"]
        .filter(~pl.col("is_void") & (pl.col("shipped_utc") <= as_of))
        .group_by("order_line_key")
        .agg(shipped_e4=pl.col("shipped_qty_e4").sum())
    )
    invoiced = (
        posted(frames["can_invoice_line"], "invoice_line_key", frames, as_of)
        .group_by("order_line_key")
        .agg(invoiced_e4=pl.col("invoiced_qty_e4").sum())
    )
    orders = roots_in_scope(frames).select("root_order_key", "site", "customer_category")
    lines = frames["can_order_line"].select("order_line_key", "root_order_key", "item_group", "unit_price_e4")
    beyond = pl.max_horizontal(pl.col("shipped_e4") - pl.col("invoiced_e4").fill_null(0), pl.lit(0, pl.Int64))
    return (
        shipped.join(lines, on="order_line_key")
        .join(orders, on="root_order_key")
        .join(invoiced, on="order_line_key", how="left")
        .with_columns(open_e4=beyond)
        .with_columns(
            open_amount_e8=pl.col("open_e4").cast(pl.Int128) * pl.col("unit_price_e4").fill_null(0),
            is_open=(pl.col("open_e4") > 0).cast(pl.Int64),
            period_date=pl.lit(None, pl.Date),
        )
    )
