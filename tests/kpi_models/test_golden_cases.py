"""The reference gives, for every golden case, the cells that were worked out by hand."""

from __future__ import annotations

import duckdb
import pytest

from kpi_models.golden import Case, create, failures, fill, load_cases
from kpi_models.reference import evaluate


@pytest.mark.parametrize("case", load_cases().values(), ids=lambda case: case.id)
def test_the_reference_agrees_with_the_hand(case: Case) -> None:
    with duckdb.connect() as connection:
        create(connection)
        fill(connection, case.rows)
        cells = evaluate(connection, case.as_of)
    assert failures(case, cells) == []
