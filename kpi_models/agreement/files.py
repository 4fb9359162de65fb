"""Agreement of two files: the warehouse the reference reads, and the marts that dbt built from it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from kpi_models.agreement.compare import AgreementResult, compare
from kpi_models.reference import SCHEMA, evaluate
from kpi_models.reference.reader import open_read_only


def agree(
    warehouse: duckdb.DuckDBPyConnection | Path | str, marts: Path | str | None, as_of: datetime
) -> AgreementResult:
    """Compute every KPI from the canonical tables of `warehouse` and compare with `kpi.kpi_cell` of `marts`.

    Both files are opened read-only (close dbt's connections first). With an open connection as warehouse and `marts`
    None, the cells are read through the same connection. Raises duckdb.Error when a file, table or column is missing.
    """
    reference = evaluate(warehouse, as_of)
    if marts is None:
        if not isinstance(warehouse, duckdb.DuckDBPyConnection):
            raise ValueError("without a marts file the warehouse must be an open connection")
        return compare(read_cells(warehouse), reference)
    with open_read_only(marts) as connection:
        return compare(read_cells(connection), reference)


def read_cells(connection: duckdb.DuckDBPyConnection, table: str = "kpi.kpi_cell") -> pl.DataFrame:
    """The marts' cells, in the columns of the reference. `table` is a qualified, unquoted name."""
    qualified = ".".join(f'"{part}"' for part in table.split("."))
    return connection.execute(f"select {', '.join(SCHEMA)} from {qualified}").pl()


def store(result: AgreementResult, connection: duckdb.DuckDBPyConnection, table: str = "kpi.kpi_agreement") -> None:
    """Replace the table by the result's cells, in one statement on an open, writable marts connection."""
    qualified = ".".join(f'"{part}"' for part in table.split("."))
    connection.register("agreement_cells", result.cells.to_arrow())
    try:
        connection.execute(f"create or replace table {qualified} as select * from agreement_cells")
    finally:
        connection.unregister("agreement_cells")
