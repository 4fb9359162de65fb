"""One invented company and the rendered SQL, shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb
import polars as pl
import pytest

from kpi_models.golden import create, fill, spread
from kpi_models.reference import evaluate
from tests.kpi_models.company import AS_OF, facts
from tests.kpi_models.sql_program import Model, SqlProgram, compile_models


@pytest.fixture(scope="session")
def company() -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory warehouse whose canonical tables hold one invented company."""
    with duckdb.connect() as connection:
        create(connection)
        fill(connection, spread(facts(seed=7)))
        yield connection


@pytest.fixture(scope="session")
def cells(company: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """The reference's cells of that company."""
    return evaluate(company, AS_OF)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Model]:
    """The SQL of the KPI models, rendered once by dbt."""
    return compile_models(tmp_path_factory.mktemp("kpi_sql"))


@pytest.fixture(scope="session")
def sql_company(models: Mapping[str, Model]) -> Iterator[SqlProgram]:
    """The SQL program over the same company."""
    program = SqlProgram(models, spread(facts(seed=7)))
    yield program
    program.close()
