"""True deliveries to commit and true latencies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import polars as pl

from .clock import EXACT_S, day_end, local_date
from .company import CATEGORIES
from .ledger import Known, Ledger, delivered_known, invoiced_known, shipped_known
from .state import Shipment
from .truth_cells import Cell, groups, ratio

_DIMS = ("site", "customer_category")
_BASE = {"date": pl.Date, "site": pl.String, "customer_category": pl.String}


def _sent(ledger: Ledger, as_of: int) -> Iterator[Shipment]:
    return (s for s in ledger.shipments if not s.void and shipped_known(s).at <= as_of)


def _where(shipment: Shipment) -> tuple[str, str]:
    return shipment.site.code, CATEGORIES[shipment.work.release.order.customer.category]


def delivery_cells(ledger: Ledger, as_of: int) -> list[Cell]:
    """On time, late, open and completed, of shipments that a carrier tracks and whose order's delivery is due."""
    rows = []
    for shipment in _sent(ledger, as_of):
        root = shipment.work.release.order.root
        deadline = day_end(root.commit, root.customer.zone)
        if not shipment.tracking or root.oms.is_test or deadline > as_of:
            continue
        known = delivered_known(shipment)
        if known is not None and known.at > as_of:
            known = None
        done = known is not None
        on_time = known is not None and known.at < deadline
        surely = known is not None and known.high <= deadline
        maybe = known is not None and known.low < deadline
        rows.append((root.commit, *_where(shipment), done, on_time, surely, maybe))
    schema = {**_BASE, **dict.fromkeys(("done", "on_time", "surely", "maybe"), pl.Boolean)}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    totals = [pl.len().alias("all"), *(pl.col(n).sum().cast(pl.Int64) for n in ("done", "on_time", "surely", "maybe"))]
    cells = []
    for period, dims, got in groups(frame, totals, _DIMS):
        whole, done = got["all"], got["done"]
        for name, num, low, high in (
            ("on_time_delivery", got["on_time"], got["surely"], got["maybe"]),
            ("delivery_late", done - got["on_time"], done - got["maybe"], done - got["surely"]),
            ("delivery_open", whole - done, whole - done, whole - done),
            ("delivery_completed", done, done, done),
        ):
            cells.append(ratio(f"{name}_to_commit", period, dims, num, whole, low, high))
    return [cell for cell in cells if cell]


Pair = Callable[[Shipment], tuple[Known | None, Known | None, date | None]]


def _ship_day(shipment: Shipment, known: Known) -> date:
    return local_date(known.at, shipment.site.zone)


def _order_to_ship(shipment: Shipment) -> tuple[Known | None, Known | None, date | None]:
    received = shipment.work.release.order.oms.created
    end = shipped_known(shipment)
    return Known(received, received, received), end, _ship_day(shipment, end)


def _delivered_day(shipment: Shipment, end: Known | None) -> date | None:
    return None if end is None else local_date(end.at, shipment.work.release.order.customer.zone)


def _ship_to_delivery(shipment: Shipment) -> tuple[Known | None, Known | None, date | None]:
    end = delivered_known(shipment)
    return shipped_known(shipment), end, _delivered_day(shipment, end)


def _order_to_delivery(shipment: Shipment) -> tuple[Known | None, Known | None, date | None]:
    received, end = shipment.work.release.order.oms.created, delivered_known(shipment)
    return Known(received, received, received), end, _delivered_day(shipment, end)


def _ship_to_invoice(shipment: Shipment) -> tuple[Known | None, Known | None, date | None]:
    return shipped_known(shipment), invoiced_known(shipment), shipment.invoice_date


LATENCIES: dict[str, Pair] = {
    "order_to_ship": _order_to_ship,
    "ship_to_delivery": _ship_to_delivery,
    "order_to_delivery": _order_to_delivery,
    "ship_to_invoice": _ship_to_invoice,
}


def _pairs(ledger: Ledger, as_of: int, pair: Pair) -> pl.DataFrame:
    """One row per shipment with both instants: seconds (null when one of them is not exact) and their bounds."""
    rows: list[tuple[Any, ...]] = []
    for shipment in _sent(ledger, as_of):
        start, end, day = pair(shipment)
        if start is None or end is None or end.at > as_of:
            continue
        exact = start.high - start.low <= EXACT_S and end.high - end.low <= EXACT_S
        seconds = end.at - start.at
        low, high = (seconds, seconds) if exact else (end.low - start.high, end.high - start.low)
        rows.append((day, *_where(shipment), seconds if exact else None, low, high))
    schema = {**_BASE, "seconds": pl.Int64, "low": pl.Int64, "high": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def latency_cells(ledger: Ledger, as_of: int) -> list[Cell]:
    """Median, 90th percentile and mean of each latency, in seconds of calendar time."""
    totals = [
        pl.col("seconds").count().cast(pl.Int64).alias("count"),
        pl.col("seconds").sum().alias("sum"),
        pl.col("seconds").is_null().any().alias("unsure"),
    ]
    for column in ("seconds", "low", "high"):
        totals += [
            pl.col(column).quantile(0.5, "linear").alias(f"p50_{column}"),
            pl.col(column).quantile(0.9, "linear").alias(f"p90_{column}"),
            pl.col(column).mean().alias(f"mean_{column}"),
        ]
    cells = []
    for name, pair in LATENCIES.items():
        for period, dims, got in groups(_pairs(ledger, as_of, pair), totals, _DIMS):
            if not got["count"] and period != "total":
                continue
            for stat in ("p50", "p90", "mean"):
                value = got[f"{stat}_seconds"]
                if stat == "mean" and got["count"]:
                    value = got["sum"] / got["count"]
                low, high = (got[f"{stat}_low"], got[f"{stat}_high"]) if got["unsure"] else (value, value)
                if value is not None and low is not None:
                    low, high = min(low, value), max(high, value)
                numerator = got["sum"] if stat == "mean" else None
                kpi_id = f"latency_{name}_{stat}"
                cells.append(Cell(kpi_id, period, dims, numerator, got["count"], value, low, high))
    return cells
