"""Two long frames of cells, compared cell by cell.

A cell agrees when both programs have it once, with the same numerator and denominator exactly, the same as-of
instant, and a value and bounds within RELATIVE of each other (values are quotients of exact numbers, percentiles are
interpolated in floating point).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from kpi_models.reference import KEYS, SCHEMA

RELATIVE = 1e-9
AGREED, DISAGREED, NOT_COMPARED = "agreed", "disagreed", "not compared"
_EXACT = ("numerator", "denominator", "as_of_utc")
_CLOSE = ("value", "value_min", "value_max")


@dataclass(frozen=True)
class AgreementResult:
    """Every cell of either program with its verdict. `ok` only if all agree and something was there to compare."""

    cells: pl.DataFrame

    @property
    def differing(self) -> pl.DataFrame:
        """The cells that do not agree, with the figures of both programs and the reason."""
        return self.cells.filter(pl.col("agreement") != AGREED)

    @property
    def is_empty(self) -> bool:
        """No cell with a figure other than zero: agreement on nothing proves nothing."""
        told = [
            pl.col(f"{side}_{name}").fill_null(0) != 0
            for side in ("marts", "reference")
            for name in ("numerator", "denominator")
        ]
        return self.cells.filter(pl.any_horizontal(told)).is_empty()

    @property
    def ok(self) -> bool:
        """May these cells be published?"""
        return not self.is_empty and self.differing.is_empty()

    def summary(self) -> dict[str, Any]:
        """Counts for logs and metadata: cells, agreed, disagreed, KPIs and reasons; JSON types only."""
        reasons = self.differing.group_by("reason").len().sort("reason")
        return {
            "ok": self.ok,
            "cells": len(self.cells),
            "agreed": len(self.cells) - len(self.differing),
            "disagreed": len(self.differing),
            "is_empty": self.is_empty,
            "kpis": self.cells["kpi_id"].n_unique(),
            "disagreeing_kpis": sorted(self.differing["kpi_id"].unique().to_list()),
            "reasons": dict(reasons.rows()),
        }

    def explain(self, limit: int = 10) -> list[str]:
        """The first differing cells in words."""
        if self.is_empty:
            return ["there is no cell with a figure: agreement on empty input is a failure"]
        return [_sentence(cell) for cell in self.differing.head(limit).iter_rows(named=True)]

    def write_parquet(self, path: Path | str) -> None:
        """The table to publish beside the KPIs (`kpi_agreement`), as a Parquet file."""
        self.cells.write_parquet(path)


def compare(marts: pl.DataFrame, reference: pl.DataFrame) -> AgreementResult:
    """Full outer join of two long frames (columns of `cells.SCHEMA`) on their keys. Raises on missing columns or
    types that cannot be cast."""
    left, right = (_typed(frame) for frame in (marts, reference))
    joined = _renamed(left, "marts").join(
        _renamed(right, "reference"), on=KEYS, how="full", coalesce=True, nulls_equal=True
    )
    reason = pl.coalesce(
        pl.when(pl.col("marts_rows").is_null()).then(pl.lit("missing in marts")),
        pl.when(pl.col("reference_rows").is_null()).then(pl.lit("missing in reference")),
        pl.when((pl.col("marts_rows") > 1) | (pl.col("reference_rows") > 1)).then(pl.lit("more than one row")),
        *(pl.when(_pair(name, "ne_missing")).then(pl.lit(name.replace("_utc", ""))) for name in _EXACT),
        *(pl.when(~_is_close(name)).then(pl.lit(name)) for name in _CLOSE),
    )
    judged = joined.with_columns(reason=reason).with_columns(
        agreement=pl.when(pl.col("reason").is_null()).then(pl.lit(AGREED)).otherwise(pl.lit(DISAGREED))
    )
    figures = [f"{side}_{name}" for name in (*_EXACT, *_CLOSE) for side in ("marts", "reference")]
    return AgreementResult(judged.select(*KEYS, "agreement", "reason", *figures).sort(KEYS, nulls_last=True))


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def _renamed(frame: pl.DataFrame, side: str) -> pl.DataFrame:
    firsts = [pl.col(name).first().alias(f"{side}_{name}") for name in (*_EXACT, *_CLOSE)]
    return frame.group_by(KEYS).agg(*firsts, pl.len().alias(f"{side}_rows"))


def _pair(name: str, method: str) -> pl.Expr:
    verdict: pl.Expr = getattr(pl.col(f"marts_{name}"), method)(pl.col(f"reference_{name}"))
    return verdict


def _is_close(name: str) -> pl.Expr:
    left, right = pl.col(f"marts_{name}"), pl.col(f"reference_{name}")
    limit = pl.max_horizontal(left.abs(), right.abs(), pl.lit(1.0)) * RELATIVE
    return (
        pl.when(left.is_null() | right.is_null())
        .then(left.is_null() & right.is_null())
        .otherwise((left - right).abs() <= limit)
    )


def _sentence(cell: dict[str, Any]) -> str:
    where = f"{cell['kpi_id']} {cell['period']}" + (
        f" {cell['dimension']}={cell['dimension_value']}" if cell["dimension"] else ""
    )
    sides = (
        f"{side} {cell[f'{side}_numerator']} / {cell[f'{side}_denominator']}"
        f" = {cell[f'{side}_value']} [{cell[f'{side}_value_min']}, {cell[f'{side}_value_max']}]"
        for side in ("marts", "reference")
    )
    return f"{where}: {cell['reason']}; {'; '.join(sides)}"
