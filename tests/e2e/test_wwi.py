"""On Wide World Importers the published KPIs equal every figure of the data set, through the real servers."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.box import sandbox
from tests.e2e.demo import crossdock, demo_once, published
from tests.e2e.wwi_figures import WHOLE, slices

pytestmark = [pytest.mark.verify, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def cells(wwi_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    home = tmp_path_factory.mktemp("wwi")
    demo_once(home, "--world", "wwi")
    return published(home)


@pytest.mark.parametrize(("kpi", "numerator", "denominator"), WHOLE)
def test_a_figure_of_the_whole_database_is_published_exactly(cells, kpi, numerator, denominator) -> None:
    cell = cells[kpi, "total", "", ""]
    assert (cell["numerator"], cell["denominator"]) == (Decimal(numerator), Decimal(denominator))


def test_every_year_and_month_equals_the_tables_themselves(cells, wwi_data) -> None:
    wanted = slices(wwi_data)
    assert len(wanted) > 500
    found = {
        (kpi, period): (cell["numerator"], cell["denominator"])
        for (kpi, period, dimension, _), cell in cells.items()
        if dimension == "" and (kpi, period) in wanted
    }
    assert found == wanted


def test_days_replayed_one_by_one_end_in_the_same_cells(cells, wwi_data, tmp_path) -> None:
    with sandbox(tmp_path, "--world", "wwi", "--until", "2016-05-02") as box:
        for day in range(31):
            if day % 10 == 0:
                crossdock("run", home=box.home)
            box.advance()
        crossdock("run", home=box.home)
        replayed = published(box.home)
    as_of = {key: {name: value for name, value in cell.items() if name != "as_of_utc"} for key, cell in cells.items()}
    assert {
        key: {name: value for name, value in cell.items() if name != "as_of_utc"} for key, cell in replayed.items()
    } == as_of
