"""Latency between events of a shipment, in whole seconds of calendar time (catalog/latency.yaml)."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from .cells import finished, told_by, without_zero
from .exact import quotient, to_decimal
from .orders import roots_in_scope
from .reader import Frames

EXACT_UP_TO_S = 900
DIMENSIONS = ("site", "customer_category")
SPANS = {
    "order_to_ship": ("order_received_utc", "shipped_utc", "shipped_date"),
    "ship_to_delivery": ("shipped_utc", "delivered_utc", "delivered_date"),
    "order_to_delivery": ("order_received_utc", "delivered_utc", "delivered_date"),
    "ship_to_invoice": ("shipped_utc", "created_utc", "posting_date"),
}
QUANTILES = {"p50": 0.5, "p90": 0.9}


def latency(frames: Frames, as_of: datetime) -> pl.DataFrame:
    """Cells of the twelve latencies; see `cells.SCHEMA`. `as_of` is naive UTC."""
    shipments = timed_shipments(frames)
    return pl.concat([_span_cells(span, pairs(shipments, span, as_of), as_of) for span in SPANS])


def timed_shipments(frames: Frames) -> pl.DataFrame:
    """Shipments that are not void, of root orders in scope, with the instants of their order and of their first
    invoice."""
    received = roots_in_scope(frames).select("root_order_key", "^order_received_utc.*$")
    invoices = (
        frames["can_invoice"]
        .filter(~pl.col("is_credit") & pl.col("shipment_key").is_not_null() & pl.col("created_utc").is_not_null())
        .sort("created_utc", "invoice_key")
        .group_by("shipment_key", maintain_order=True)
        .first()
        .select("shipment_key", "posting_date", "^created_utc.*$")
    )
    return (
        frames["can_shipment"]
        .filter(~pl.col("is_void"))
        .rename({"site_code": "site"})
        .join(received, on="root_order_key")
        .join(invoices, on="shipment_key", how="left")
    )


def pairs(shipments: pl.DataFrame, span: str, as_of: datetime) -> pl.DataFrame:
    """The span's pairs that happened: `seconds`, the shortest and longest reading, and whether both instants are
    exact."""
    start, end, period_date = SPANS[span]
    happened = (pl.col(start) <= as_of) & (pl.col(end) <= as_of)
    return shipments.filter(happened).select(
        *DIMENSIONS,
        pl.col(period_date).alias("period_date"),
        seconds=_whole(pl.col(end)) - _whole(pl.col(start)),
        shortest=_whole(_reading(end, "min")) - _whole(_reading(start, "max")),
        longest=_whole(_reading(end, "max")) - _whole(_reading(start, "min")),
        is_exact=_is_exact(start) & _is_exact(end),
    )


def _whole(instant: pl.Expr) -> pl.Expr:
    return instant.dt.epoch("us").floordiv(1_000_000)


def _is_exact(name: str) -> pl.Expr:
    width = pl.col(f"{name}_max") - pl.col(f"{name}_min")
    return (width <= pl.duration(seconds=EXACT_UP_TO_S)).fill_null(True)


def _reading(name: str, side: str) -> pl.Expr:
    return pl.when(_is_exact(name)).then(pl.col(name)).otherwise(pl.col(f"{name}_{side}"))


def _span_cells(span: str, found: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    told = without_zero(told_by(found, DIMENSIONS, _statistics(), {"sum": 0, "count": 0}), pl.col("count"))
    count = to_decimal(pl.col("count"), 0)
    mean = finished(
        told,
        f"latency_{span}_mean",
        as_of,
        numerator=to_decimal(pl.col("sum"), 0),
        denominator=count,
        value=quotient(pl.col("sum"), pl.col("count")),
        value_min=pl.min_horizontal("shortest_mean", quotient(pl.col("sum"), pl.col("count"))),
        value_max=pl.max_horizontal("longest_mean", quotient(pl.col("sum"), pl.col("count"))),
    )
    percentiles = [
        finished(
            told,
            f"latency_{span}_{name}",
            as_of,
            numerator=pl.lit(None),
            denominator=count,
            value=pl.col(f"seconds_{name}"),
            value_min=pl.min_horizontal(f"shortest_{name}", f"seconds_{name}"),
            value_max=pl.max_horizontal(f"longest_{name}", f"seconds_{name}"),
        )
        for name in QUANTILES
    ]
    return pl.concat([mean, *percentiles])


def _statistics() -> list[pl.Expr]:
    exact = pl.col("seconds").filter(pl.col("is_exact"))
    sides = ("shortest", "longest")
    return [
        exact.sum().alias("sum"),
        exact.len().cast(pl.Int64).alias("count"),
        *(exact.quantile(q, "linear").alias(f"seconds_{name}") for name, q in QUANTILES.items()),
        *(
            pl.col(side).quantile(q, "linear").alias(f"{side}_{name}")
            for side in sides
            for name, q in QUANTILES.items()
        ),
        *((pl.col(side).sum() / pl.len()).alias(f"{side}_mean") for side in sides),
    ]
