"""Root orders in scope: the one order that a chain of backorders is told by."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from .reader import Frames


def roots_in_scope(frames: Frames) -> pl.DataFrame:
    """One row per root order in scope: key, `site`, `customer_category`, first commit date, deadlines, received
    instants."""
    orders = frames["can_sales_order"]
    return orders.filter((pl.col("order_key") == pl.col("root_order_key")) & pl.col("is_in_scope")).select(
        "root_order_key",
        "customer_category",
        "first_commit_date",
        "commit_deadline_utc",
        "delivery_deadline_utc",
        "order_received_utc",
        "order_received_utc_min",
        "order_received_utc_max",
        site="site_code",
    )


def roots_with_backorder(frames: Frames) -> pl.DataFrame:
    """`root_order_key` of every root order with a backorder child order that holds at least one line."""
    children = frames["can_sales_order"].filter(pl.col("chain_depth") > 0)
    return children.join(frames["can_order_line"], on="order_key", how="semi").select("root_order_key").unique()


def book_dates(frames: Frames, as_of: datetime) -> dict[str, date]:
    """Legal entity code to its local date at the as-of instant (naive UTC)."""
    rows = frames["can_legal_entity"].select("legal_entity_code", "zone").rows()
    instant = as_of.replace(tzinfo=ZoneInfo("UTC"))
    return {code: instant.astimezone(ZoneInfo(zone or "UTC")).date() for code, zone in rows}


def posted(lines: pl.DataFrame, key: str, frames: Frames, as_of: datetime) -> pl.DataFrame:
    """The lines whose posting date is not after their legal entity's local date; the entity is the key's first part."""
    dates = book_dates(frames, as_of)
    entity = pl.col(key).str.split("|").list.first()
    today = entity.replace_strict(dates, default=as_of.date(), return_dtype=pl.Date) if dates else pl.lit(as_of.date())
    return lines.filter(pl.col("posting_date") <= today)
