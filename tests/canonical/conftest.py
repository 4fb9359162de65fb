"""Scratch warehouses for the dbt project: empty, hand-made, wwi and simulated; and one way to run dbt on them."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tiny_project import Project

REPO = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PROJECT = REPO / "dbt_project"
ERP_STREAMS = [path.stem.removeprefix("stg_erp__") for path in sorted((PROJECT / "models/staging/erp").glob("*.sql"))]
SIMULATED: dict[str, Any] = {
    "erp": [{"system": "erp", "zone": "America/Chicago", "streams": ERP_STREAMS}],
    "oms": [{"system": "oms", "zone": "UTC", "streams": ["orders"]}],
    "wms": [
        {
            "system": "wms",
            "zones": {"EWR": "America/New_York", "ORD": "America/Chicago", "LAX": "America/Los_Angeles"},
            "streams": ["ship_confirmation", "event", "stock_report"],
        }
    ],
    "carrier": [{"system": "carrier", "streams": ["tracking"]}],
}
WWI = {"erp": [{"system": "erp", "zone": "America/Los_Angeles", "streams": ERP_STREAMS}]}


@dataclass
class Scratch:
    """A warehouse and a marts file in one folder, and dbt on them."""

    folder: Path
    systems: dict[str, Any] = field(default_factory=lambda: SIMULATED)
    as_of: str = "2024-06-01T00:00:00Z"
    project: Path = PROJECT

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    def raw(self, *systems: str) -> duckdb.DuckDBPyConnection:
        """A connection with empty raw relations; more schemas of the ERP dialect for every name in `systems`."""
        con = duckdb.connect(str(self.warehouse))
        script = (HERE / "raw_relations.sql").read_text()
        con.execute(script)
        for system in systems:
            erp = [line.replace("raw_erp", f"raw_{system}") for line in script.splitlines() if "raw_erp" in line]
            con.execute("\n".join(erp))
        return con

    def connected(self) -> duckdb.DuckDBPyConnection:
        """A connection to the warehouse as it is."""
        return duckdb.connect(str(self.warehouse))

    def dbt(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run dbt in its own process; returns its output. Fails the test when dbt fails and `ok` is true."""
        (self.folder / "marts").mkdir(exist_ok=True)
        command, *rest = arguments
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("dbt")),
                "--log-path",
                str(self.folder / "logs"),
                command,
                "--project-dir",
                str(self.project),
                "--profiles-dir",
                str(self.project),
                "--target-path",
                str(self.folder / "target"),
                "--vars",
                json.dumps({"as_of": self.as_of, "systems": self.systems}),
                *rest,
            ],
            env=os.environ
            | {
                "CROSSDOCK_WAREHOUSE": str(self.warehouse),
                "CROSSDOCK_MARTS": str(self.folder / "marts" / "crossdock.duckdb"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if ok and done.returncode:
            pytest.fail(done.stdout[-6000:])
        return done

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.warehouse), read_only=True) as con:
            con.execute("use canonical")
            return con.execute(sql).fetchall()


def insert(con: duckdb.DuckDBPyConnection, relation: str, rows: list[dict[str, Any]], batch: int = 1) -> None:
    """Insert dicts by column name; missing columns are null."""
    if rows:
        frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(  # noqa: F841 - read by DuckDB by name
            pl.lit(batch).alias("_batch_id"), pl.lit(datetime(2024, 6, 1)).alias("_commit_ts")
        )
        con.execute(f"insert into {relation} by name select * from frame")


def documents(rows: dict[str, str]) -> list[dict[str, Any]]:
    return [{"doc_key": key, "doc": doc} for key, doc in rows.items()]


def load_world(con: duckdb.DuckDBPyConnection, emissions: list[Any], *, batch: int = 1) -> None:
    """Replace the raw relations by the state that a world's emissions lead to (parsed by the product's own parsers)."""
    from connectors.carriers.tracking import tracking_document
    from connectors.edi.envelope import interchanges
    from connectors.edi.x12_945 import doc_key, ship_confirmation

    tables: dict[str, dict[Any, dict[str, Any]]] = {}
    oms: dict[str, str] = {}
    advices: dict[str, str] = {}
    events: dict[str, str] = {}
    stock: dict[str, str] = {}
    trackers: dict[str, str] = {}
    for emission in emissions:
        for change in emission.erp:
            rows = tables.setdefault(change.table.replace(".", "_"), {})
            key = next(iter(change.row.values()))
            if change.op == "delete":
                rows.pop(key, None)
            else:
                rows[key] = change.row
        for order in emission.oms:
            oms[order["number"]] = json.dumps(order)
        for tracker in emission.carrier:
            doc = tracking_document(json.dumps(tracker).encode()).decode()
            trackers[f"{tracker['carrier']}|{tracker['tracking_number']}"] = doc
        for file in emission.wms:
            text = file.content.decode()
            if file.name.startswith("945"):
                for found in interchanges(text):
                    for group in found.groups:
                        for transaction in group.transactions:
                            advice = ship_confirmation(found, group, transaction, file.name)
                            advices[doc_key(advice)] = json.dumps(advice)
            elif file.name.startswith("events"):
                for line in text.splitlines():
                    events[json.loads(line)["id"]] = line
            else:
                for row in csv.DictReader(io.StringIO(text)):
                    keys = ("site", "sku", "lot", "status", "owner", "as_of_local")
                    stock["|".join(row[k] for k in keys)] = json.dumps(row)
    for table, rows in tables.items():
        con.execute(f"truncate raw_erp.{table}")
        insert(con, f"raw_erp.{table}", list(rows.values()), batch)
    for relation, docs in {
        "raw_oms.orders": oms,
        "raw_wms.ship_confirmation": advices,
        "raw_wms.event": events,
        "raw_wms.stock_report": stock,
        "raw_carrier.tracking": trackers,
    }.items():
        con.execute(f"truncate {relation}")
        insert(con, relation, documents(docs), batch)


@pytest.fixture(scope="session")
def world_loader() -> Callable[..., None]:
    return load_world


@pytest.fixture(scope="session")
def raw_insert() -> Callable[..., None]:
    return insert


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path)


@pytest.fixture(scope="session")
def new_scratch(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Scratch]:
    def make(name: str, systems: dict[str, Any] | None = None, as_of: str = "2024-06-01T00:00:00Z") -> Scratch:
        return Scratch(tmp_path_factory.mktemp(name), systems or SIMULATED, as_of)

    return make


@pytest.fixture(scope="session")
def simulated(new_scratch: Callable[..., Scratch]) -> Iterator[tuple[Scratch, Any]]:
    """Forty simulated days, built once: staging, canonical and their tests."""
    from sandbox.world.simulated import SimulatedWorld

    world = SimulatedWorld(seed=3, days=40, orders_per_day=25)
    emission = world.advance(world.now + timedelta(days=40))
    scratch = new_scratch("simulated", SIMULATED, world.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    with scratch.raw() as con:
        load_world(con, [emission])
    scratch.dbt("build", "--select", "staging", "canonical", "--exclude-resource-type", "unit_test")
    yield scratch, world


@pytest.fixture(scope="session")
def wwi_data() -> Path:
    """Folder of the wwi Parquet files, or a skip."""
    for base in (os.environ.get("CROSSDOCK_DATA"), REPO.parent / "shared" / "data"):
        if base and (Path(base) / "wwi").is_dir():
            return Path(base) / "wwi"
    pytest.skip("wwi data not found: set CROSSDOCK_DATA")


@pytest.fixture(scope="session")
def wwi_systems() -> dict[str, Any]:
    return WWI


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(os, "environ", os.environ.copy())  # dbt in this process is told its files by the environment
    return Project(tmp_path / "project")


@pytest.fixture(params=[True, False], ids=["contract", "no contract"])
def merged(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    return Project(tmp_path / "project", contract=request.param)
