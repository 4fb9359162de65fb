"""Whole stories, from canonical rows to published cells, through dbt's own build with all its tests."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from .conftest import AFTER_CANONICAL, Marts
from .scenarios import VARIANTS, Expected, stories

ROWS, EXPECTED = stories()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Marts, str]]:
    """The stories built once by `dbt build`: models, contracts, unit tests and data tests."""
    marts = Marts(tmp_path_factory.mktemp("stories"))
    marts.create()
    marts.insert(ROWS)
    yield marts, marts.dbt("build", *AFTER_CANONICAL)


def test_dbt_runs_every_unit_and_data_test_of_the_marts(built: tuple[Marts, str]) -> None:
    summary = built[1].splitlines()[-1]
    assert "ERROR=0" in summary
    assert "SKIP=0" in summary
    assert built[1].count("int_line_shipped::") >= 2
    assert "kpi_cells_roll_up" in built[1]


@pytest.mark.parametrize("site", EXPECTED)
def test_a_story_gives_its_cells(built: tuple[Marts, str], site: str) -> None:
    cells = {
        kpi: cell
        for (value, kpi), cell in built[0].totals("site").items()
        if value == site and kpi.startswith("fill_rate")
    }
    expected: Expected = EXPECTED[site]
    if not expected:
        assert cells == {}
    for basis, variants in expected.items():
        found = [cells[f"fill_rate_{basis}_{variant}_strict"] for variant in VARIANTS]
        assert found == [(Decimal(numerator), Decimal(denominator)) for numerator, denominator in variants], basis


def test_the_company_is_the_sum_of_its_sites(built: tuple[Marts, str]) -> None:
    company = built[0].totals()
    sites = built[0].totals("site")
    for basis in ("unit", "line", "order", "value"):
        for variant in VARIANTS:
            kpi = f"fill_rate_{basis}_{variant}_strict"
            parts = [cell for (_, name), cell in sites.items() if name == kpi]
            assert company["", kpi] == (sum(part[0] or 0 for part in parts), sum(part[1] or 0 for part in parts))


def test_lines_that_do_not_count_are_published_with_their_reason(built: tuple[Marts, str]) -> None:
    found = dict(built[0].query("select reason, line_count from ops.ops_excluded_line"))
    assert found["cancelled_by_customer"] == 3
    assert found["substitute"] == found["not_goods"] == found["not_due"] == 1
    assert sum(found.values()) == built[0].query("select count(*) from core.fct_order_line")[0][0]


def test_marts_need_no_other_file(built: tuple[Marts, str]) -> None:
    views = built[0].query(
        "select table_schema || '.' || table_name from information_schema.tables where table_type = 'VIEW'"
    )
    assert views == []
    for schema, name in built[0].query("select table_schema, table_name from information_schema.tables"):
        built[0].query(f'select * from "{schema}"."{name}" limit 1')


def test_with_nothing_landed_every_kpi_has_an_empty_total(tmp_path_factory: pytest.TempPathFactory) -> None:
    marts = Marts(tmp_path_factory.mktemp("empty"))
    marts.create()
    marts.dbt("build", *AFTER_CANONICAL, "--exclude-resource-type", "unit_test")
    cells = marts.query("select kpi_id, period, dimension, value from kpi.kpi_cell")
    assert {kpi for kpi, _, _, _ in cells} == {kpi for (kpi,) in marts.query("select kpi_id from core.dim_kpi")}
    assert {(period, dimension) for _, period, dimension, _ in cells} == {("total", "")}
    assert {value for kpi, _, _, value in cells if not kpi.endswith(("amount", "not_invoiced_lines"))} == {None}
