"""The SQL of the dbt project and the reference agree, cell by cell, on cases by hand and on invented companies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kpi_models import agree, compare, evaluate
from kpi_models.golden import Case, failures, load_cases, spread
from tests.kpi_models.company import AS_OF, facts
from tests.kpi_models.sql_program import Model, SqlProgram, build

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", load_cases().values(), ids=lambda case: case.id)
def test_the_sql_agrees_with_the_hand(case: Case, models: Mapping[str, Model]) -> None:
    program = SqlProgram(models, case.rows)
    cells = program.cells(case.as_of)
    reference = evaluate(program.connection, case.as_of)
    program.close()
    assert failures(case, cells) == []
    assert compare(cells, reference).differing.is_empty()


def test_dbt_builds_the_cells_that_the_reference_computes(tmp_path: Path) -> None:
    warehouse, marts = build(tmp_path, spread(facts(seed=3)), AS_OF)
    result = agree(warehouse, marts, AS_OF)
    assert result.ok, result.explain()


@pytest.mark.verify
@pytest.mark.parametrize("seed", range(100, 140))
def test_the_programs_agree_on_any_company(seed: int, models: Mapping[str, Model]) -> None:
    program = SqlProgram(models, spread(facts(seed, orders=400)))
    result = compare(program.cells(AS_OF), evaluate(program.connection, AS_OF))
    program.close()
    assert result.ok, result.explain()
