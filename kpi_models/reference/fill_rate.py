"""Fill rate by unit, line, value and order in three passes, strict (catalog/fill_rate.yaml).

Quantities are times 10^4, values times 10^8.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from .cells import Sum, sum_cells
from .orders import roots_in_scope, roots_with_backorder
from .reader import Frames

PASSES = ("first_event", "first_pass", "to_date")
READINGS = (*PASSES, "first_pass_lowest", "first_pass_highest")


def fill_rate(frames: Frames, as_of: datetime) -> pl.DataFrame:
    """Cells of the twelve fill rates; see `cells.SCHEMA`. `as_of` is naive UTC."""
    lines = filled_lines(frames, as_of)
    by_line = [Sum(*_names("line", way), *_bounds("line", way)) for way in PASSES]
    by_unit = [Sum(*_names("unit", way), *_bounds("unit", way), exponent=4) for way in PASSES]
    by_value = [Sum(*_names("value", way), *_bounds("value", way), exponent=8) for way in PASSES]
    by_order = [Sum(*_names("order", way), *_bounds("order", way)) for way in PASSES]
    three = ("site", "customer_category", "item_group")
    priced = lines.filter(pl.col("unit_price_e4") != 0)
    return pl.concat(
        [
            sum_cells(line_measures(lines), [*by_unit, *by_line], three, as_of),
            sum_cells(value_measures(priced), by_value, three, as_of),
            sum_cells(order_measures(lines, frames), by_order, ("site", "customer_category"), as_of),
        ]
    )


def filled_lines(frames: Frames, as_of: datetime) -> pl.DataFrame:
    """One row per root line that counts: effective quantity `effective_e4` and what shipped under each reading of
    READINGS."""
    effective = effective_lines(frames, as_of)
    return (
        effective.join(shipped_quantities(frames, effective, as_of), on="root_order_line_key", how="left")
        .with_columns(pl.col(way).fill_null(0) for way in READINGS)
        .rename({"first_commit_date": "period_date"})
    )


def effective_lines(frames: Frames, as_of: datetime) -> pl.DataFrame:
    """Root lines of mature root orders with what the customer still wanted at the commit deadline, if more than
    nothing."""
    mature = roots_in_scope(frames).filter(pl.col("commit_deadline_utc") <= as_of)
    lines = (
        frames["can_order_line"]
        .filter(
            (pl.col("root_order_line_key") == pl.col("order_line_key"))
            & pl.col("is_goods")
            & pl.col("substitutes_order_line_key").is_null()
        )
        .select("root_order_line_key", "root_order_key", "item_group", "ordered_original_qty_e4", "unit_price_e4")
        .join(mature, on="root_order_key")
    )
    amended = (
        frames["can_line_change"]
        .filter((pl.col("initiator") == "customer") & pl.col("change_kind").is_in(["quantity", "cancel"]))
        .join(lines.select("root_order_line_key", "commit_deadline_utc"), on="root_order_line_key")
        .filter(pl.col("changed_utc") < pl.col("commit_deadline_utc"))
        .group_by("root_order_line_key")
        .agg(delta_e4=pl.col("qty_delta_e4").sum())
    )
    wanted = pl.col("ordered_original_qty_e4") + pl.col("delta_e4").fill_null(0)
    return (
        lines.join(amended, on="root_order_line_key", how="left")
        .with_columns(effective_e4=pl.max_horizontal(wanted, pl.lit(0, pl.Int64)))
        .filter(pl.col("effective_e4") > 0)
    )


def shipped_quantities(frames: Frames, lines: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Per root line, the quantity shipped under each reading, not capped; lines that shipped nothing are absent."""
    deadline, shipped = pl.col("commit_deadline_utc"), pl.col("shipped_utc")
    by_now = shipped <= as_of
    latest = pl.col("shipped_utc_max").fill_null(shipped)
    earliest = pl.col("shipped_utc_min").fill_null(shipped)
    counts = {
        "first_event": by_now & (pl.col("release_event_key") == pl.col("first_release_event_key")),
        "first_pass": by_now & (shipped < deadline),
        "to_date": by_now,
        "first_pass_lowest": (latest <= deadline) & (shipped < deadline),
        "first_pass_highest": by_now & ((earliest < deadline) | (shipped < deadline)),
    }
    return (
        frames["can_shipment_line"]
        .filter(~pl.col("is_void"))
        .join(lines.select("root_order_line_key", "root_order_key", "commit_deadline_utc"), on="root_order_line_key")
        .join(first_release_events(frames), on="root_order_key", how="left")
        .group_by("root_order_line_key")
        .agg(pl.when(rule).then(pl.col("shipped_qty_e4")).otherwise(0).sum().alias(way) for way, rule in counts.items())
    )


def first_release_events(frames: Frames) -> pl.DataFrame:
    """Per root order, its earliest release event: least depth in the chain, then unknown instants first, then time
    and key."""
    return (
        frames["can_release"]
        .sort("chain_depth", "released_utc", "release_event_key", nulls_last=False)
        .group_by("root_order_key", maintain_order=True)
        .agg(first_release_event_key=pl.col("release_event_key").first())
    )


def line_measures(lines: pl.DataFrame) -> pl.DataFrame:
    """Filled units and complete lines of each reading, beside effective units and the line itself."""
    wanted = pl.col("effective_e4")
    return lines.with_columns(
        *(pl.min_horizontal(pl.col(way), wanted).alias(f"unit_{way}") for way in READINGS),
        *((pl.col(way) >= wanted).cast(pl.Int64).alias(f"line_{way}") for way in READINGS),
        unit=wanted,
        line=pl.lit(1, pl.Int64),
    )


def value_measures(lines: pl.DataFrame) -> pl.DataFrame:
    """Filled and effective quantity times the line's own price, times 10^8."""
    wanted, price = pl.col("effective_e4").cast(pl.Int128), pl.col("unit_price_e4")
    return lines.with_columns(
        *((pl.min_horizontal(pl.col(way).cast(pl.Int128), wanted) * price).alias(f"value_{way}") for way in READINGS),
        value=wanted * price,
    )


def order_measures(lines: pl.DataFrame, frames: Frames) -> pl.DataFrame:
    """One row per root order with a remaining line: 1 where every line is complete; any backorder child fails the
    first event."""
    orders = lines.group_by("root_order_key", "period_date", "site", "customer_category").agg(
        (pl.col(way) >= pl.col("effective_e4")).all().alias(way) for way in READINGS
    )
    backordered = roots_with_backorder(frames).with_columns(has_backorder=pl.lit(True))
    return (
        orders.join(backordered, on="root_order_key", how="left")
        .with_columns(first_event=pl.col("first_event") & pl.col("has_backorder").is_null())
        .with_columns(
            *(pl.col(way).cast(pl.Int64).alias(f"order_{way}") for way in READINGS), order=pl.lit(1, pl.Int64)
        )
    )


def _names(basis: str, way: str) -> tuple[str, str, str]:
    return f"fill_rate_{basis}_{way}_strict", f"{basis}_{way}", basis


def _bounds(basis: str, way: str) -> tuple[str | None, str | None]:
    return (f"{basis}_first_pass_lowest", f"{basis}_first_pass_highest") if way == "first_pass" else (None, None)
