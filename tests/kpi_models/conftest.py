"""One invented company and one warehouse of all golden cases' kind, shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import polars as pl
import pytest

from kpi_models.golden import create, fill, spread
from kpi_models.reference import evaluate
from tests.kpi_models.company import AS_OF, facts


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
