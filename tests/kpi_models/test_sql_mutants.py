"""A bug in the SQL alone makes the two programs disagree."""

from __future__ import annotations

import polars as pl
import pytest

from kpi_models import compare
from tests.kpi_models.company import AS_OF
from tests.kpi_models.sql_mutants import MUTANTS, Mutant
from tests.kpi_models.sql_program import SqlProgram

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_bug_in_the_sql_is_caught(mutant: Mutant, sql_company: SqlProgram, cells: pl.DataFrame) -> None:
    sql = sql_company.models[mutant.model].sql
    assert mutant.old in sql, "the mutant's text must stand in the rendered model"
    result = compare(sql_company.cells(AS_OF, {mutant.model: sql.replace(mutant.old, mutant.new)}), cells)
    assert not result.ok and len(result.differing) > 0


def test_without_a_bug_the_programs_agree(sql_company: SqlProgram, cells: pl.DataFrame) -> None:
    result = compare(sql_company.cells(AS_OF), cells)
    assert result.ok, result.explain()


def test_there_are_at_least_twenty_bugs_and_each_is_another_one() -> None:
    assert len({(mutant.model, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS) >= 20
