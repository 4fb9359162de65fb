"""Canonical tables made from the contracts, filled with spread facts: a small warehouse for cases and tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import yaml

from .facts import Rows

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts" / "canonical"
_BLANK = {"varchar": "", "boolean": False}

Contract = dict[str, Any]


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
        values = [[_value(column, entry) for column in columns] for entry in entries]
        for entry in entries:
            unknown = set(entry) - {column["name"] for column in columns}
            if unknown:
                raise ValueError(f"{table} has no column {sorted(unknown)}")
        if values:
            marks = ", ".join("?" * len(columns))
            connection.executemany(f'insert into "{schema}"."{table}" values ({marks})', values)


def _value(column: Mapping[str, Any], entry: Mapping[str, Any]) -> Any:
    given = entry.get(column["name"])
    if given is not None or column["nullable"]:
        return given
    return _BLANK.get(column["type"], 0)
