"""Canonical tables made from the contracts, filled with spread facts: a small warehouse for cases and tests."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml

from .facts import Row, Rows

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts" / "canonical"
_BLANK = {"varchar": "", "boolean": "false"}

Contract = dict[str, Any]


@cache
def contracts(folder: Path = CONTRACTS) -> dict[str, Contract]:
    """Entity name to its contract. Raises FileNotFoundError when the folder holds none."""
    found = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(folder.glob("*.yaml"))}
    if not found:
        raise FileNotFoundError(f"no canonical contract in {folder}")
    return found


def create(connection: duckdb.DuckDBPyConnection, folder: Path = CONTRACTS, schema: str = "canonical") -> None:
    """Create every canonical table, empty, with the columns and types of its contract."""
    connection.execute(f'create schema if not exists "{schema}"')
    for name, contract in contracts(folder).items():
        columns = ", ".join(f'"{column["name"]}" {column["type"]}' for column in contract["columns"])
        connection.execute(f'create or replace table "{schema}"."{name}" ({columns})')


def fill(
    connection: duckdb.DuckDBPyConnection, rows: Rows, folder: Path = CONTRACTS, schema: str = "canonical"
) -> None:
    """Insert spread rows. Columns the rows leave out are null, or blank where the contract forbids null."""
    known = contracts(folder)
    for table, entries in rows.items():
        columns = known[table]["columns"]
        unknown = set().union(*entries) - {column["name"] for column in columns}
        if unknown:
            raise ValueError(f"{table} has no column {sorted(unknown)}")
        texts = pl.DataFrame({column["name"]: _texts(column, entries) for column in columns})
        casts = ", ".join(f'cast("{column["name"]}" as {column["type"]})' for column in columns)
        connection.register("texts", texts.to_arrow())
        connection.execute(f'insert into "{schema}"."{table}" select {casts} from texts')
        connection.unregister("texts")


def _texts(column: Mapping[str, Any], entries: list[Row]) -> pl.Series:
    blank = None if column["nullable"] else _BLANK.get(column["type"], "0")
    given = (entry.get(column["name"]) for entry in entries)
    return pl.Series([blank if value is None else str(value) for value in given], dtype=pl.String)
