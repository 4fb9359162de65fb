"""Rows with the moments at which they took their shape, so that one history serves the bulk load and the replay alike.

A *versions frame* has the columns of one ERP table and `_at`, the naive local moment at which the row began to look
like this. The state at a moment is the last version of each key before it; a step is the versions between two
moments. A load up to any moment followed by steps to the end therefore equals a load of everything, by construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

START = datetime(2013, 1, 1)
"""The first moment of the history; code lists and masters without an older date stand from here on."""


@dataclass(frozen=True)
class Versions:
    """All versions of one table, oldest first; `key` is its first column."""

    table: str
    key: str
    frame: pl.DataFrame

    @classmethod
    def of(cls, table: str, *frames: pl.DataFrame) -> Versions:
        """Build from frames in the order in which they follow each other; the last one has the columns."""
        columns = frames[-1].columns
        key = columns[0]
        joined = pl.concat([frame.select(columns) for frame in frames], how="vertical_relaxed")
        ordered = joined.with_columns(pl.col("_at").cast(pl.Datetime("us"))).sort("_at", maintain_order=True)
        return cls(table, key, ordered.unique([key, "_at"], keep="last", maintain_order=True))

    def state(self, until: datetime) -> pl.DataFrame:
        """The rows as they stand just before `until`, by key, without `_at`."""
        known = self.frame.filter(pl.col("_at") < until)
        return known.unique(self.key, keep="last", maintain_order=True).sort(self.key).drop("_at")

    def step(self, since: datetime, until: datetime) -> pl.DataFrame:
        """The versions from `since` up to `until` (exclusive), in time order, with `_at`."""
        return self.frame.filter((pl.col("_at") >= since) & (pl.col("_at") < until))


def at(moment: pl.Expr | datetime) -> pl.Expr:
    """The `_at` column."""
    return (moment if isinstance(moment, pl.Expr) else pl.lit(moment)).cast(pl.Datetime("us")).alias("_at")


def money(column: str, name: str, scale: int = 2) -> pl.Expr:
    """A price stored as a float, as the decimal it stands for."""
    return pl.col(column).round(scale).cast(pl.Decimal(18, scale)).alias(name)


def whole(column: str, name: str) -> pl.Expr:
    """A nullable integer key stored as a float."""
    return pl.col(column).cast(pl.Int64).alias(name)


def day(column: str, name: str) -> pl.Expr:
    """A date stored as a timestamp."""
    return pl.col(column).cast(pl.Date).alias(name)


def nothing(name: str, kind: pl.DataType | type[pl.DataType] = pl.String) -> pl.Expr:
    """A column that this history does not know."""
    return pl.lit(None, dtype=kind).alias(name)
