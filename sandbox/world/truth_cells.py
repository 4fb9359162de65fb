"""Cells and the groups they are made for: periods for the company, coarse periods for one dimension at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

PERIODS = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "year": "%Y"}
COARSE = ("month", "year")
DIMENSIONS = ("site", "customer_category", "item_group")

Number = int | float | None


@dataclass(slots=True)
class Cell:
    """One KPI cell; bounds equal the value unless something is uncertain."""

    kpi_id: str
    period: str
    dimensions: dict[str, str]
    numerator: Number
    denominator: Number
    value: float | None
    value_min: float | None
    value_max: float | None

    def row(self, as_of: str) -> dict[str, Any]:
        """The cell in the rows of `crossdock kpi --json`."""
        return {
            "kpi_id": self.kpi_id, "period": self.period, "dimensions": self.dimensions, "numerator": self.numerator,
            "denominator": self.denominator, "value": self.value, "value_min": self.value_min,
            "value_max": self.value_max, "agreement": "agreed", "as_of": as_of,
        }  # fmt: skip


def cents(amount: int) -> float:
    """Cents as a JSON number; its shortest form is exact to two decimals."""
    return amount / 100


def ratio(
    kpi_id: str, period: str, dims: dict[str, str], num: int, den: int, low: int | None = None, high: int | None = None,
    money: bool = False,
) -> Cell | None:  # fmt: skip
    """A ratio of sums; without a denominator there is a cell (without value) only for the total."""
    if den == 0 and period != "total":
        return None
    value, least, most = (
        (n / den if den else None) for n in (num, num if low is None else low, num if high is None else high)
    )
    shown = (cents(num), cents(den)) if money else (num, den)
    return Cell(kpi_id, period, dims, shown[0], shown[1], value, least, most)


def groups(
    frame: pl.DataFrame, totals: list[pl.Expr], dimensions: tuple[str, ...] = DIMENSIONS, only_total: bool = False
) -> Iterator[tuple[str, dict[str, str], dict[str, Any]]]:
    """Yield (period, dimensions, aggregates) for every group. `frame` has a `date` column and the dimension columns.

    The company's total is always there, even over no rows.
    """
    yield "total", {}, frame.select(totals).row(0, named=True)
    kinds = () if only_total else tuple(PERIODS)
    labelled = frame.with_columns(pl.col("date").dt.strftime(PERIODS[kind]).alias(f"p_{kind}") for kind in kinds)
    for kind in kinds:
        for row in labelled.group_by(f"p_{kind}").agg(totals).sort(f"p_{kind}").iter_rows(named=True):
            yield row.pop(f"p_{kind}"), {}, row
    for dimension in dimensions:
        for row in labelled.group_by(dimension).agg(totals).sort(dimension).iter_rows(named=True):
            yield "total", {dimension: row.pop(dimension)}, row
        for kind in COARSE if kinds else ():
            keys = [f"p_{kind}", dimension]
            for row in labelled.group_by(keys).agg(totals).sort(keys).iter_rows(named=True):
                yield row.pop(f"p_{kind}"), {dimension: row.pop(dimension)}, row
