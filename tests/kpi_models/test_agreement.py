"""The comparison sees every kind of difference, and never takes nothing for agreement."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from kpi_models import compare
from kpi_models.agreement import read_cells, store
from kpi_models.reference import KEYS, SCHEMA
from tests.kpi_models.company import AS_OF

UNIT = pl.col("kpi_id") == "fill_rate_unit_to_date_strict"
TOTAL = UNIT & (pl.col("period_kind") == "total") & (pl.col("dimension") == "")


def changed(cells: pl.DataFrame, column: str, value: object) -> pl.DataFrame:
    """The cells with one column of one cell changed."""
    return cells.with_columns(
        pl.when(TOTAL).then(pl.lit(value, SCHEMA[column])).otherwise(pl.col(column)).alias(column)
    )


def test_a_frame_agrees_with_itself_in_any_order_and_every_cell_is_listed(cells: pl.DataFrame) -> None:
    result = compare(cells.sample(fraction=1, shuffle=True, seed=1), cells)
    assert result.ok and len(result.cells) == len(cells)
    assert result.summary()["agreed"] == len(cells) and result.explain() == []


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("numerator", Decimal("1.000001"), "numerator"),
        ("numerator", None, "numerator"),
        ("denominator", Decimal("99"), "denominator"),
        ("value", 0.5, "value"),
        ("value", None, "value"),
        ("value_min", 0.1, "value_min"),
        ("value_max", 0.99, "value_max"),
        ("as_of_utc", AS_OF - timedelta(seconds=1), "as_of"),
    ],
)
def test_one_changed_figure_is_one_differing_cell_with_its_reason(
    cells: pl.DataFrame, column: str, value: object, reason: str
) -> None:
    result = compare(changed(cells, column, value), cells)
    assert not result.ok
    assert result.differing.select("kpi_id", "reason").rows() == [("fill_rate_unit_to_date_strict", reason)]
    assert "fill_rate_unit_to_date_strict total" in result.explain()[0]


def test_a_missing_an_extra_and_a_doubled_row_differ(cells: pl.DataFrame) -> None:
    without = cells.filter(~TOTAL)
    assert compare(without, cells).summary()["reasons"] == {"missing in marts": 1}
    assert compare(cells, without).summary()["reasons"] == {"missing in reference": 1}
    assert compare(pl.concat([cells, cells.filter(TOTAL)]), cells).summary()["reasons"] == {"more than one row": 1}


def test_the_last_decimal_of_a_large_sum_counts(cells: pl.DataFrame) -> None:
    large = Decimal("98765432109876543210987654.000001")
    one, other = changed(cells, "numerator", large), changed(cells, "numerator", large + Decimal("0.000001"))
    assert compare(one, one).ok and not compare(one, other).ok


def test_percentiles_may_differ_by_rounding_and_by_no_more(cells: pl.DataFrame) -> None:
    p50 = pl.col("kpi_id").str.ends_with("_p50")
    assert compare(
        cells.with_columns(pl.when(p50).then(pl.col("value") * (1 + 1e-12)).otherwise(pl.col("value")).alias("value")),
        cells,
    ).ok
    assert not compare(
        cells.with_columns(pl.when(p50).then(pl.col("value") * (1 + 1e-6)).otherwise(pl.col("value")).alias("value")),
        cells,
    ).ok


def test_agreement_on_nothing_is_a_failure(cells: pl.DataFrame) -> None:
    nothing = cells.clear()
    empty = compare(nothing, nothing)
    assert not empty.ok and empty.is_empty and "failure" in empty.explain()[0]
    zeros = cells.filter(TOTAL).with_columns(
        pl.lit(Decimal(0), SCHEMA["numerator"]).alias("numerator"),
        pl.lit(None, SCHEMA["denominator"]).alias("denominator"),
    )
    assert not compare(zeros, zeros).ok
    assert not compare(nothing, cells).ok


def test_the_stored_table_holds_every_cell_and_its_verdict(cells: pl.DataFrame, tmp_path: Path) -> None:
    result = compare(changed(cells, "numerator", Decimal(1)), cells)
    with duckdb.connect(str(tmp_path / "marts.duckdb")) as connection:
        connection.execute("create schema kpi")
        for _ in range(2):
            store(result, connection)
        rows = connection.execute(
            "select agreement, count(*) from kpi.kpi_agreement group by all order by all"
        ).fetchall()
        connection.register("cells", cells.to_arrow())
        connection.execute("create table kpi.kpi_cell as select * from cells")
        assert read_cells(connection).sort(KEYS).equals(cells)
    assert rows == [("agreed", len(cells) - 1), ("disagreed", 1)]
    result.write_parquet(tmp_path / "agreement.parquet")
    assert pl.read_parquet(tmp_path / "agreement.parquet").equals(result.cells)
