"""The grid of cells: which periods and dimensions a KPI is told by, and the columns of a cell.

A fact frame has a `period_date`, the dimension columns and measures. Cells are told for the company (dimension '')
and for every single dimension, by day, ISO week, month, year and in total. A period cell with a zero denominator does
not exist; a total does, with a null value, and the company's total exists even when there is no fact at all. A fact
without a value in a dimension has no cell there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from .exact import CELL_DECIMAL, quotient, to_decimal

PERIOD_KINDS = ("day", "week", "month", "year", "total")
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

    Without a denominator the value is the numerator. `exponent` is the scale of the measures (numbers times
    10^exponent).
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


def told_by(
    facts: pl.DataFrame,
    dimensions: Iterable[str],
    statistics: list[pl.Expr],
    empty: dict[str, int],
    kinds: Iterable[str] = PERIOD_KINDS,
) -> pl.DataFrame:
    """The statistics of `facts` for every combination of the grid: one row per period kind, period, dimension and its
    value.

    The company's total is always there: over no fact at all it holds `empty`, and null in every statistic not named
    in it.
    """
    dates = facts.select("period_date").unique().drop_nulls()
    labels = dates.with_columns(pl.col("period_date").dt.strftime(form).alias(kind) for kind, form in _LABEL.items())
    labelled = facts.join(labels, on="period_date", how="left")
    groups = []
    for kind in kinds:
        period = pl.lit("total") if kind == "total" else pl.col(kind)
        for dimension in ("", *dimensions):
            present = [pl.col(name).is_not_null() for name in (dimension, kind) if name not in ("", "total")]
            keys = {"period": period, "dimension_value": pl.col(dimension) if dimension else pl.lit("")}
            grouped = (
                (labelled.filter(*present) if present else labelled)
                .group_by([key.alias(name) for name, key in keys.items()])
                .agg(statistics)
            )
            groups.append(grouped.with_columns(period_kind=pl.lit(kind), dimension=pl.lit(dimension)))
    told = pl.concat(groups)
    if facts.is_empty():
        row = (
            dict.fromkeys(told.columns)
            | {"period_kind": "total", "period": "total", "dimension": "", "dimension_value": ""}
            | empty
        )
        told = pl.DataFrame([row], schema=told.schema)
    return told


def sum_cells(
    facts: pl.DataFrame,
    kpis: Iterable[Sum],
    dimensions: tuple[str, ...],
    as_of: datetime,
    kinds: tuple[str, ...] = PERIOD_KINDS,
) -> pl.DataFrame:
    """Cells of KPIs that are sums or ratios of sums; `facts` holds `period_date`, the dimensions and the measures."""
    wanted = list(kpis)
    measures = sorted(set().union(*(kpi.measures for kpi in wanted)))
    daily = facts.group_by("period_date", *dimensions).agg(pl.col(name).cast(pl.Int128).sum() for name in measures)
    told = told_by(daily, dimensions, [pl.col(name).sum() for name in measures], dict.fromkeys(measures, 0), kinds)
    return pl.concat([_sum_cell(told, kpi, as_of) for kpi in wanted])


def _sum_cell(told: pl.DataFrame, kpi: Sum, as_of: datetime) -> pl.DataFrame:
    numerator = to_decimal(pl.col(kpi.numerator), kpi.exponent)
    denominator = to_decimal(pl.col(kpi.denominator), kpi.exponent) if kpi.denominator else pl.lit(None, CELL_DECIMAL)

    def value(measure: str) -> pl.Expr:
        if not kpi.denominator:
            return to_decimal(pl.col(measure), kpi.exponent).cast(pl.Float64)
        ratio = quotient(to_decimal(pl.col(measure), kpi.exponent), denominator)
        return pl.when(denominator > 0).then(ratio).otherwise(None) if kpi.needs_positive_denominator else ratio

    return finished(
        told if not kpi.denominator else without_zero(told, pl.col(kpi.denominator)),
        kpi.kpi_id,
        as_of,
        numerator=numerator,
        denominator=denominator,
        value=value(kpi.numerator),
        value_min=value(kpi.lowest or kpi.numerator),
        value_max=value(kpi.highest or kpi.numerator),
    )


def without_zero(told: pl.DataFrame, denominator: pl.Expr) -> pl.DataFrame:
    """Drop the period cells whose denominator is zero; totals stay."""
    return told.filter((denominator != 0) | (pl.col("period_kind") == "total"))


def finished(told: pl.DataFrame, kpi_id: str, as_of: datetime, **figures: pl.Expr) -> pl.DataFrame:
    """Cells of one KPI in the order and types of SCHEMA, from grid rows and the expressions of its figures."""
    columns = {**figures, "kpi_id": pl.lit(kpi_id), "as_of_utc": pl.lit(as_of)}
    return told.select(columns.get(name, pl.col(name)).cast(dtype).alias(name) for name, dtype in SCHEMA.items())
