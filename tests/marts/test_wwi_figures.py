"""Wide World Importers from its Parquet files to KPI cells: the data set's own figures, and every month and year."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from .conftest import REPO, Marts

pytestmark = [pytest.mark.verify, pytest.mark.timeout(900)]

HERE = Path(__file__).resolve().parent
CANONICAL_TESTS = HERE.parent / "canonical"  # its raw tables and the data set as the ERP would hold it
NOW = "2016-06-02T07:00:00Z"
WHOLE = {
    "fill_rate_line_first_event_strict": ("223751", "231412"),
    "fill_rate_line_first_pass_strict": ("224976", "231412"),
    "fill_rate_line_to_date_strict": ("228265", "231412"),
    "fill_rate_unit_first_event_strict": ("8663110", "9310904"),
    "fill_rate_unit_first_pass_strict": ("8709261", "9310904"),
    "fill_rate_unit_to_date_strict": ("8950628", "9310904"),
    "fill_rate_value_first_event_strict": ("168078339.30", "177634276.40"),
    "fill_rate_value_first_pass_strict": ("168832822.30", "177634276.40"),
    "fill_rate_value_to_date_strict": ("172261341.20", "177634276.40"),
    "fill_rate_order_first_event_strict": ("58756", "66057"),
    "fill_rate_order_first_pass_strict": ("59857", "66057"),
    "fill_rate_order_to_date_strict": ("62972", "66057"),
    "gross_margin_rate": ("85729180.90", "172261341.20"),
    "delivery_completed_to_commit": ("1864", "1948"),
    "on_time_delivery_to_commit": ("1757", "1948"),
    "delivery_late_to_commit": ("107", "1948"),
    "delivery_open_to_commit": ("84", "1948"),
    "shipped_not_invoiced_lines": ("0", None),
}


@pytest.fixture(scope="module")
def data() -> Path:
    for base in (os.environ.get("CROSSDOCK_DATA"), REPO.parent / "shared" / "data"):
        if base and (Path(base) / "wwi").is_dir():
            return Path(base) / "wwi"
    pytest.skip("wwi data not found: set CROSSDOCK_DATA")


@pytest.fixture(scope="module")
def wwi(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marts]:
    """The whole history, from raw ERP tables through staging and canonical to the cells."""
    marts = Marts(tmp_path_factory.mktemp("wwi"), NOW)
    with duckdb.connect(str(marts.warehouse)) as con:
        con.execute((CANONICAL_TESTS / "raw_relations.sql").read_text())
        con.execute((CANONICAL_TESTS / "wwi_rows.sql").read_text().replace("{data}", str(data)))
    streams = [path.stem.removeprefix("stg_erp__") for path in (REPO / "dbt_project/models/staging/erp").glob("*.sql")]
    erp = {"system": "erp", "zone": "America/Los_Angeles", "streams": sorted(streams)}
    marts.dbt("build", "--exclude-resource-type", "unit_test", systems={"erp": [erp]})
    yield marts


def test_the_whole_history_gives_the_data_sets_figures(wwi: Marts) -> None:
    totals = wwi.totals()
    found = {kpi: totals["", kpi] for kpi in WHOLE}
    assert found == {
        kpi: tuple(value if value is None else Decimal(value) for value in pair) for kpi, pair in WHOLE.items()
    }


def test_every_year_and_month_equals_the_files_themselves(wwi: Marts, data: Path) -> None:
    with duckdb.connect() as con:
        wanted = con.execute((HERE / "wwi_slices.sql").read_text().replace("{data}", str(data))).fetchall()
    kpis = ", ".join(f"'{kpi}'" for kpi in {row[0] for row in wanted})
    found = wwi.query(
        "select kpi_id, period, numerator, denominator from kpi.kpi_cell"
        f" where dimension = '' and period_kind in ('month', 'year', 'total') and kpi_id in ({kpis})"
    )
    assert len(wanted) > 12 * 40
    assert sorted(found) == sorted(wanted)


def test_no_bound_is_open_where_every_time_is_known(wwi: Marts) -> None:
    loose = wwi.query("select count(*) from kpi.kpi_cell where kpi_id like 'fill_rate%' and value_min <> value_max")
    assert loose == [(0,)]
