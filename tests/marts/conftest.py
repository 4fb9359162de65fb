"""A warehouse whose canonical tables a test fills by hand, and dbt on everything after them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

REPO = Path(__file__).resolve().parents[2]
PROJECT = REPO / "dbt_project"
AFTER_CANONICAL = [
    "--select", "dim_kpi_catalogue", "time_utc_offset",
    "path:models/intermediate", "path:models/marts", "path:models/ops",
]  # fmt: skip
BLANK = {"varchar": "x", "boolean": False, "date": "2024-01-01"}


@dataclass
class Marts:
    """A warehouse and a marts file in one folder; `as_of` is business now, an instant in UTC."""

    folder: Path
    as_of: str = "2024-04-01T00:00:00Z"

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    @property
    def marts(self) -> Path:
        return self.folder / "crossdock.duckdb"

    def create(self) -> None:
        """Empty canonical tables, as their contracts say."""
        with duckdb.connect(str(self.warehouse)) as con:
            con.execute("create schema canonical")
            for contract in contracts():
                columns = ", ".join(f'"{column["name"]}" {column["type"]}' for column in contract["columns"])
                con.execute(f"create table canonical.{contract['name']} ({columns})")

    def insert(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        """Rows by entity. A column that a row leaves out is null, or a blank where the contract forbids null."""
        with duckdb.connect(str(self.warehouse)) as con:
            for contract in contracts():
                for row in rows.get(contract["name"], []):
                    values = [row.get(column["name"], blank(column)) for column in contract["columns"]]
                    marks = ", ".join("?" for _ in values)
                    con.execute(f"insert into canonical.{contract['name']} values ({marks})", values)

    def dbt(self, *arguments: str, systems: dict[str, Any] | None = None) -> str:
        """Run dbt in its own process; returns its output. Fails the test when dbt fails."""
        given = {"as_of": self.as_of} | ({"systems": systems} if systems else {})
        command, *rest = arguments
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("dbt")), "--log-path", str(self.folder / "logs"), command,
                "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
                "--target-path", str(self.folder / "target"),
                "--vars", json.dumps(given), *rest,
            ],
            env=os.environ | {"CROSSDOCK_WAREHOUSE": str(self.warehouse), "CROSSDOCK_MARTS": str(self.marts)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.fail(done.stdout[-6000:] + done.stderr[-2000:])
        return done.stdout

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the marts file alone, as a BI tool opens it."""
        with duckdb.connect(str(self.marts), read_only=True) as con:
            return con.execute(sql).fetchall()

    def totals(self, dimension: str = "") -> dict[tuple[str, str], tuple[Decimal | None, Decimal | None]]:
        """(dimension value, KPI) to (numerator, denominator), over all periods."""
        found = self.query(
            "select dimension_value, kpi_id, numerator, denominator from kpi.kpi_cell"
            f" where period_kind = 'total' and dimension = '{dimension}'"
        )
        return {(value, kpi): (numerator, denominator) for value, kpi, numerator, denominator in found}


def contracts() -> list[dict[str, Any]]:
    return [yaml.safe_load(path.read_text()) for path in sorted((REPO / "contracts" / "canonical").glob("*.yaml"))]


def blank(column: dict[str, Any]) -> Any:
    return None if column.get("nullable", True) else BLANK.get(column["type"], 0)
