"""The grid of cells: which periods and dimensions a KPI is told by, and the columns of a cell.

A fact frame has a `period_date`, the dimension columns and measures. Cells are told for the company (dimension '') and for every single
dimension, by day, ISO week, month, year and in total. A period cell with a zero denominator does not exist; a total does, with a
null value, and the company's total exists even when there is no fact at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from .exact import CELL_DECIMAL, quotient, to_decimal

PERIOD_KINDS = ("day", "week", "month", "year", "total")
NO_VALUE = "(none)"
KEYS = ("kpi_id", "period_kind", "period", "dimension", "dimension_value")
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "kpi_id": pl.String,
    "period_kind": pl.String,
    "period": pl.String,
    "dimension": pl.String,
    "dimension_value": pl.String,
    "numerator": CELL_DECIMAL,
    "denominator": CELL_DECIMAL,
    "value": pl.Float64,
    "value_min": pl.Float64,
    "value_max": pl.Float64,
    "as_of_utc": pl.Datetime("us"),
}
_LABEL = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "year": "%Y"}


@dataclass(frozen=True)
class Sum:
    """A KPI made of sums of measures: names of the columns with numerator, denominator and the bounds of the numerator.

    Without a denominator the value is the numerator. `exponent` is the scale of the measures (numbers times 10^exponent).
    """

    kpi_id: str
    numerator: str
    denominator: str | None = None
    lowest: str | None = None
    highest: str | None = None
    exponent: int = 0
    needs_positive_denominator: bool = False

    @property
    def measures(self) -> set[str]:
        """Every column this KPI sums."""
        return {name for name in (self.numerator, self.denominator, self.lowest, self.highest) if name}


def slices(facts: pl.DataFrame, dimensions: Iterable[str], kinds: Iterable[str]) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """(period kind, dimension, facts with `period` and `dimension_value`) for every combination of the grid."""
    for kind in kinds:
        period = pl.lit("total") if kind == "total" else pl.col("period_date").dt.strftime(_LABEL[kind])
        dated = facts if kind == "total" else facts.filter(pl.col("period_date").is_not_null())
        for dimension in ("", *dimensions):
            value = pl.col(dimension).fill_null(NO_VALUE) if dimension else pl.lit("")
            yield kind, dimension, dated.with_columns(period=period, dimension_value=value)


def sum_cells(
    facts: pl.DataFrame, kpis: Iterable[Sum], dimensions: tuple[str, ...], as_of: datetime, kinds: tuple[str, ...] = PERIOD_KINDS
) -> pl.DataFrame:
    """Cells of KPIs that are sums or ratios of sums; `facts` holds `period_date`, the dimensions and the measures."""
    wanted = list(kpis)
    measures = sorted(set().union(*(kpi.measures for kpi in wanted)))
    daily = facts.group_by("period_date", *dimensions).agg(pl.col(name).cast(pl.Int128).sum() for name in measures)
    made = []
    for kind, dimension, sliced in slices(daily, dimensions, kinds):
        groups = sliced.group_by("period", "dimension_value").agg(pl.col(name).sum() for name in measures)
        if kind == "total" and dimension == "" and groups.is_empty():
            groups = nothing(measures)
        made.extend(_sum_cell(groups, kpi, kind, dimension, as_of) for kpi in wanted)
    return pl.concat(made)


def nothing(measures: Iterable[str]) -> pl.DataFrame:
    """The company's total over no fact: every sum is zero."""
    zero = {name: pl.Series([0], dtype=pl.Int128) for name in measures}
    return pl.DataFrame({"period": ["total"], "dimension_value": [""], **zero})


def _sum_cell(groups: pl.DataFrame, kpi: Sum, kind: str, dimension: str, as_of: datetime) -> pl.DataFrame:
    numerator = to_decimal(pl.col(kpi.numerator), kpi.exponent)
    denominator = to_decimal(pl.col(kpi.denominator), kpi.exponent) if kpi.denominator else pl.lit(None, CELL_DECIMAL)

    def value(measure: str) -> pl.Expr:
        if not kpi.denominator:
            return to_decimal(pl.col(measure), kpi.exponent).cast(pl.Float64)
        ratio = quotient(to_decimal(pl.col(measure), kpi.exponent), denominator)
        return pl.when(denominator > 0).then(ratio).otherwise(None) if kpi.needs_positive_denominator else ratio

    if kpi.denominator and kind != "total":
        groups = groups.filter(pl.col(kpi.denominator) != 0)
    return finished(
        groups.select(
            "period",
            "dimension_value",
            numerator=numerator,
            denominator=denominator,
            value=value(kpi.numerator),
            value_min=value(kpi.lowest or kpi.numerator),
            value_max=value(kpi.highest or kpi.numerator),
        ),
        kpi.kpi_id,
        kind,
        dimension,
        as_of,
    )


def finished(cells: pl.DataFrame, kpi_id: str, kind: str, dimension: str, as_of: datetime) -> pl.DataFrame:
    """The cells with their constant columns, in the order and types of SCHEMA."""
    constants = {"kpi_id": kpi_id, "period_kind": kind, "dimension": dimension}
    full = cells.with_columns(*(pl.lit(text).alias(name) for name, text in constants.items()), as_of_utc=pl.lit(as_of))
    return full.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
