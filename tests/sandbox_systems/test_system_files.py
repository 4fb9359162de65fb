"""The system files the sandbox ships name everything its servers offer, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from sandbox.systems.erp.database import ErpDatabase

FILES = Path(__file__).resolve().parents[2] / "sandbox" / "systems_yaml"
TIMES = ("date", "timestamp without time zone")


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((FILES / name).read_text())


@pytest.mark.parametrize("world", ["simulated", "wwi"])
def test_every_published_table_is_a_stream_with_its_key_and_its_times(world: str, database: ErpDatabase) -> None:
    streams = {each["table"]: each for each in read(f"{world}/erp.yaml")["streams"]}
    assert streams.keys() == database.tables.keys()
    with psycopg.connect(database.owner_dsn) as connection:
        timed = connection.execute(
            "select table_schema || '.' || table_name, column_name, data_type from information_schema.columns"
            " where data_type = any(%s)",
            [list(TIMES)],
        ).fetchall()
    for name, table in database.tables.items():
        assert streams[name]["name"] == name.replace(".", "_")
        assert streams[name]["key"] == [table.key]
        times = {column: kind for each, column, kind in timed if each == name}
        assert streams[name].get("times", {}).keys() == times.keys()
        for column, kind in times.items():
            assert (streams[name]["times"][column]["precision"] == "day") == (kind == "date")


def test_no_secret_stands_in_a_file() -> None:
    for file in FILES.rglob("*.yaml"):
        for line in file.read_text().splitlines():
            if any(word in line for word in ("password", "dsn", "token:", "value:", "bearer", "host_key")):
                assert "${" in line, f"{file.name}: {line}"
