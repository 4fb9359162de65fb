"""The other program: the KPI models of the dbt project, over canonical tables that a test filled itself.

`compile_models` has dbt render a copy of the project once; `SqlProgram` runs the rendered SQL in an in-memory DuckDB,
so that a changed model costs tenths of a second. That dbt itself builds the same cells from the same tables is a test
of its own (`build`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb
import polars as pl

from kpi_models.agreement import read_cells
from kpi_models.golden import create, fill
from kpi_models.golden.facts import Rows
from kpi_models.golden.tables import contracts

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "dbt_project"
SELECT = ["--select", "time_utc_offset", "dim_date", "path:models/intermediate", "path:models/marts/kpi"]
PLACEHOLDER = datetime(2001, 2, 3, 4, 5, 6)


@dataclass(frozen=True)
class Model:
    """One rendered model: where it lives, what it reads, its select statement."""

    name: str
    relation: tuple[str, str, str]
    parents: tuple[str, ...]
    sql: str


class SqlProgram:
    """Rendered models over one set of canonical tables."""

    def __init__(self, models: Mapping[str, Model], rows: Rows) -> None:
        self.models = models
        self._built: dict[str, str] = {}
        self.connection = duckdb.connect()
        for database in ("warehouse", "crossdock"):
            self.connection.execute(f"attach ':memory:' as {database}")
        self.connection.execute("use warehouse")
        create(self.connection)
        fill(self.connection, rows)

    def cells(self, as_of: datetime, changed: Mapping[str, str] | None = None) -> pl.DataFrame:
        """The cells, with the SQL of some models replaced. Only models that differ from the last call, and what reads
        them, are built."""
        wanted = {
            name: (changed or {}).get(name, model.sql).replace(_text(PLACEHOLDER), _text(as_of))
            for name, model in self.models.items()
        }
        graph = {
            name: {parent for parent in model.parents if parent in self.models} for name, model in self.models.items()
        }
        rebuilt: set[str] = set()
        for name in TopologicalSorter(graph).static_order():
            if self._built.get(name) == wanted[name] and not graph[name] & rebuilt:
                continue
            self._built.pop(name, None)
            database, schema, table = self.models[name].relation
            self.connection.execute(f"create schema if not exists {database}.{schema}")
            self.connection.execute(f"create or replace table {database}.{schema}.{table} as {wanted[name]}")
            self._built[name] = wanted[name]
            rebuilt.add(name)
        return read_cells(self.connection, "crossdock.kpi.kpi_cell")

    def close(self) -> None:
        """Forget everything."""
        self.connection.close()


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}"


def compile_models(home: Path) -> dict[str, Model]:
    """The KPI models and what they need after canonical, rendered by dbt with a placeholder for the as-of instant."""
    copy_kpi_part(home)
    run_dbt(home, ["compile", *SELECT], PLACEHOLDER)
    manifest = json.loads((home / "target" / "manifest.json").read_text("utf-8"))
    results = json.loads((home / "target" / "run_results.json").read_text("utf-8"))
    models = {}
    for result in results["results"]:
        node = manifest["nodes"][result["unique_id"]]
        parents = tuple(parent.split(".")[-1] for parent in node["depends_on"]["nodes"])
        relation = (node["database"], node["schema"], node["alias"])
        models[node["name"]] = Model(node["name"], relation, parents, result["compiled_code"])
    return models


def build(home: Path, rows: Rows, as_of: datetime) -> tuple[Path, Path]:
    """Let dbt build the whole project's KPI models into files in `home`; returns the warehouse's and the marts'
    path."""
    copy_project(home)
    warehouse, marts = home / "warehouse.duckdb", home / "crossdock.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        create(connection)
        fill(connection, rows)
    run_dbt(home, ["run", *SELECT], as_of)
    return warehouse, marts


def copy_project(home: Path) -> None:
    """A copy of the dbt project that a test may write beside."""
    shutil.copytree(
        PROJECT, home / "dbt_project", ignore=shutil.ignore_patterns("target", "logs", "*.duckdb", ".user.yml")
    )


def copy_kpi_part(home: Path) -> None:
    """Only what the KPIs need, with empty canonical models: dbt reads it several times faster."""
    copied = home / "dbt_project"
    for path in [
        PROJECT / "dbt_project.yml",
        PROJECT / "profiles.yml",
        *PROJECT.glob("macros/**/*.sql"),
        *kpi_part(PROJECT / "models"),
    ]:
        if "tests" not in path.relative_to(PROJECT).parts:
            target = copied / path.relative_to(PROJECT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    for entity in contracts():
        stub = copied / "models" / "canonical" / f"{entity}.sql"
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text("{{ config(contract={'enforced': false}) }} select 1 as nothing", "utf-8")


def kpi_part(models: Path) -> list[Path]:
    """The model files named by SELECT."""
    found = [
        *models.glob("intermediate/*.sql"),
        *models.glob("marts/kpi/*.sql"),
        models / "marts" / "core" / "dim_date.sql",
    ]
    return [*found, *models.glob("**/time_utc_offset.sql")]


def run_dbt(home: Path, command: list[str], as_of: datetime) -> None:
    """One dbt command in this process; raises AssertionError with dbt's messages when it fails."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    project = str(home / "dbt_project")
    places = ["--project-dir", project, "--profiles-dir", project, "--log-path", str(home / "logs")]
    given = ["--vars", json.dumps({"as_of": _text(as_of)})]
    with _environment(home):
        result = dbtRunner().invoke(["--quiet", *command, *places, *given])
        DuckDBConnectionManager.close_all_connections()
    failed = (
        [f"{run.node.name}: {run.message}" for run in (result.result or []) if run.status != "success"]
        if result.exception is None
        else []
    )
    assert result.success, f"dbt {command[0]}: {result.exception} {failed}"


@contextmanager
def _environment(home: Path) -> Iterator[None]:
    ours = {
        "CROSSDOCK_WAREHOUSE": str(home / "warehouse.duckdb"),
        "CROSSDOCK_MARTS": str(home / "crossdock.duckdb"),
        "CROSSDOCK_CONTRACTS": str(ROOT / "contracts"),
        "CROSSDOCK_DBT_TARGET": str(home / "target"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
