"""Delivery against the first commit date (catalog/delivery.yaml)."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from .cells import Sum, sum_cells
from .orders import roots_in_scope
from .reader import Frames

KPIS = (
    Sum("on_time_delivery_to_commit", "on_time", "due", "on_time_certain", "on_time_possible"),
    Sum("delivery_late_to_commit", "late", "due", "late_certain", "late_possible"),
    Sum("delivery_open_to_commit", "open", "due"),
    Sum("delivery_completed_to_commit", "delivered", "due"),
)


def delivery(frames: Frames, as_of: datetime) -> pl.DataFrame:
    """Cells of the four delivery KPIs; see `cells.SCHEMA`. `as_of` is naive UTC."""
    return sum_cells(due_shipments(frames, as_of), KPIS, ("site", "customer_category"), as_of)


def due_shipments(frames: Frames, as_of: datetime) -> pl.DataFrame:
    """One row per tracked, not void shipment whose delivery is due, with a 0 or 1 for each state and bound."""
    due = roots_in_scope(frames).filter(pl.col("delivery_deadline_utc") <= as_of)
    shipments = (
        frames["can_shipment"]
        .filter(~pl.col("is_void") & pl.col("has_tracking"))
        .join(due.select("root_order_key", "first_commit_date", "delivery_deadline_utc"), on="root_order_key")
    )
    at, deadline = pl.col("delivered_utc"), pl.col("delivery_deadline_utc")
    delivered = (at <= as_of).fill_null(False)
    on_time = delivered & (at < deadline)
    certain = on_time & (pl.col("delivered_utc_max").fill_null(at) <= deadline)
    possible = on_time | (delivered & (pl.col("delivered_utc_min").fill_null(at) < deadline))
    states = {
        "on_time": on_time,
        "on_time_certain": certain,
        "on_time_possible": possible,
        "late": delivered & ~on_time,
        "late_certain": delivered & ~possible,
        "late_possible": delivered & ~certain,
        "open": ~delivered,
        "delivered": delivered,
        "due": pl.lit(True),
    }
    return shipments.select(
        pl.col("first_commit_date").alias("period_date"),
        pl.col("site_code").alias("site"),
        "customer_category",
        *(state.fill_null(False).cast(pl.Int64).alias(name) for name, state in states.items()),
    )
