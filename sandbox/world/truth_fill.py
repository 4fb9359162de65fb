"""True fill rates: by unit, line, order and value, for the first release, the first pass and to date."""

from __future__ import annotations

from typing import Any

import polars as pl

from .clock import day_end
from .company import CATEGORIES, SITES
from .ledger import Ledger
from .truth_cells import Cell, groups, ratio

VARIANTS = ("first_event", "first_pass", "to_date")
_SENT = ("first_event", "first_pass", "to_date", "certain", "possible")
_BOUNDS = {"first_pass": ("certain", "possible")}


def _frame(ledger: Ledger, as_of: int) -> pl.DataFrame:
    """One row per root line in scope, mature, and still wanted."""
    none = [0, 0, 0, 0, 0]
    columns: dict[str, list[Any]] = {
        name: []
        for name in (
            "order",
            "date",
            "site",
            "customer_category",
            "item_group",
            "has_children",
            "price",
            "wanted",
            *_SENT,
        )
    }
    for order in ledger.orders:
        if order.oms.is_test or day_end(order.commit, SITES[order.site].zone) > as_of:
            continue
        for line in order.oms.lines:
            wanted = ledger.effective(line)
            if wanted <= 0:
                continue
            row = (
                order.order_id, order.commit, SITES[order.site].code, CATEGORIES[order.customer.category],
                line.item.family_name, order.has_children, line.price_cents, wanted, *(line.sent or none),
            )  # fmt: skip
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
    schema = {
        "order": pl.Int64, "date": pl.Date, "site": pl.String, "customer_category": pl.String, "item_group": pl.String,
        "has_children": pl.Boolean, "price": pl.Int64, "wanted": pl.Int64, **dict.fromkeys(_SENT, pl.Int64),
    }  # fmt: skip
    return pl.DataFrame(columns, schema=schema)


def fill_cells(ledger: Ledger, as_of: int) -> list[Cell]:
    """All twelve fill rates."""
    lines = _frame(ledger, as_of)
    lines = lines.with_columns((pl.col(name) >= pl.col("wanted")).alias(f"full_{name}") for name in _SENT)
    return _line_cells(lines) + _order_cells(lines)


def _line_cells(lines: pl.DataFrame) -> list[Cell]:
    totals = [
        pl.len().alias("lines"),
        pl.col("wanted").sum().alias("units"),
        (pl.col("wanted") * pl.col("price")).sum().alias("value"),
    ]
    for name in _SENT:
        filled = pl.min_horizontal(name, "wanted")
        totals += [
            pl.col(f"full_{name}").sum().cast(pl.Int64).alias(f"line_{name}"),
            filled.sum().alias(f"unit_{name}"),
            (filled * pl.col("price")).sum().alias(f"value_{name}"),
        ]
    cells = []
    for period, dims, got in groups(lines, totals):
        for variant in VARIANTS:
            low, high = _BOUNDS.get(variant, (variant, variant))
            for measure, base in (("unit", "units"), ("line", "lines"), ("value", "value")):
                cells.append(
                    ratio(
                        f"fill_rate_{measure}_{variant}_strict", period, dims, got[f"{measure}_{variant}"], got[base],
                        got[f"{measure}_{low}"], got[f"{measure}_{high}"], money=measure == "value",
                    )
                )  # fmt: skip
    return [cell for cell in cells if cell]


def _order_cells(lines: pl.DataFrame) -> list[Cell]:
    keys = ["order", "date", "site", "customer_category"]
    whole = [pl.col(f"full_{name}").all() for name in _SENT]
    orders = lines.group_by(keys).agg(*whole, pl.col("has_children").first())
    orders = orders.with_columns(pl.col("full_first_event") & ~pl.col("has_children"))
    totals = [pl.len().alias("orders"), *(pl.col(f"full_{name}").sum().cast(pl.Int64).alias(name) for name in _SENT)]
    cells = []
    for period, dims, got in groups(orders, totals, ("site", "customer_category")):
        for variant in VARIANTS:
            low, high = _BOUNDS.get(variant, (variant, variant))
            kpi_id = f"fill_rate_order_{variant}_strict"
            cells.append(ratio(kpi_id, period, dims, got[variant], got["orders"], got[low], got[high]))
    return [cell for cell in cells if cell]
