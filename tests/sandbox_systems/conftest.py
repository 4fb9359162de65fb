"""A tiny world and one running box that the tests of this area share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from sandbox.systems.box import Box
from sandbox.systems.erp import filling
from sandbox.systems.erp.database import ErpDatabase
from sandbox.systems.postgres import PostgresServer

BEGUN = datetime(2024, 3, 1, 10, tzinfo=UTC)
SAMPLES = {
    "integer": 0,
    "bigint": 1,
    "text": "text",
    "boolean": False,
    "numeric": Decimal("1.50"),
    "date": date(2024, 3, 1),
    "timestamp without time zone": datetime(2024, 3, 1, 9, 30),
}


@dataclass
class Change:
    op: str
    table: str
    row: dict[str, Any]


@dataclass
class File:
    site: str
    name: str
    content: bytes


@dataclass
class Told:
    erp: list[Change] = field(default_factory=list)
    oms: list[dict[str, Any]] = field(default_factory=list)
    wms: list[File] = field(default_factory=list)
    carrier: list[dict[str, Any]] = field(default_factory=list)


def order(number: int, minute: int = 0, status: str = "accepted") -> dict[str, Any]:
    updated = BEGUN + timedelta(minutes=minute)
    return {"number": f"S-{number:06}", "status": status, "updated_at": updated.strftime("%Y-%m-%dT%H:%M:%SZ")}


Row = Callable[..., Change]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ErpDatabase]:
    """An ERP database without rows."""
    server = PostgresServer(tmp_path_factory.mktemp("erp") / "erp")
    try:
        yield ErpDatabase(server.start()).create()
    finally:
        server.discard()


@pytest.fixture(scope="session")
def change(database: ErpDatabase) -> Row:
    """Makes a full row of any table from a key and the columns that matter."""
    with psycopg.connect(database.owner_dsn) as connection:
        kinds = connection.execute(
            "select table_schema || '.' || table_name, column_name, data_type from information_schema.columns"
        ).fetchall()

    def make(table: str, key: int, **values: Any) -> Change:
        row = {column: SAMPLES[kind] for name, column, kind in kinds if name == table}
        return Change("upsert", table, row | {database.tables[table].key: key} | values)

    return make


@pytest.fixture(scope="session")
def filled(database: ErpDatabase, change: Row) -> ErpDatabase:
    kinds = ("warehouse.stock_items", "sales.customers", "purchasing.suppliers")
    filling.load(database, [change(kind, 142) for kind in kinds])
    return database


@pytest.fixture
def box(tmp_path: Any) -> Iterator[Box]:
    """A started, empty box."""
    made = Box(tmp_path / "sandbox", {"name": "tiny"}, "America/Chicago")
    try:
        made.start()
        yield made
    finally:
        made.stop()
        made.database.server.discard()
