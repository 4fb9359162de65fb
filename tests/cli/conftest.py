"""A home with a published version, and the command as a user calls it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.publication import prepare_marts, publish

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Crossdock:
    """`crossdock` in a process of its own, from a folder that is not the clone."""

    home: Path
    cwd: Path

    def __call__(self, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "CROSSDOCK_HOME": str(self.home), **env}
        command = [sys.executable, "-c", "from orchestration.cli import main; main()", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=self.cwd, env=environment, timeout=120)

    def json(self, *words: str) -> Any:
        done = self(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One published version with a few cells and one order."""
    home = tmp_path_factory.mktemp("home")
    marts = home / "marts" / "crossdock.duckdb"
    prepare_marts(marts)
    with duckdb.connect(str(marts)) as connection:
        connection.execute("create schema kpi; create schema core")
        connection.execute("""
            create table kpi.kpi_cell as
            select 'gross_margin_rate' as kpi_id, * from (values
                ('total', 'total', '', '', 12.5, 50, 0.25, 0.25, 0.25),
                ('month', '2016-05', '', '', 2.5, 10, 0.25, 0.25, 0.25),
                ('month', '2016-05', 'site', 'EWR', 1, 5, 0.2, 0.2, 0.2),
                ('month', '2016-05', 'site', 'LAX', 1.5, 5, 0.3, 0.3, 0.3),
                ('week', '2016-W05', '', '', 1, 5, 0.2, 0.2, 0.2)
            ) as t(period_kind, period, dimension, dimension_value, numerator, denominator, value, value_min, value_max)
        """)
        connection.execute(
            "alter table kpi.kpi_cell add column as_of_utc timestamp default timestamp '2016-06-02 07:00:00'"
        )
        connection.execute("alter table kpi.kpi_cell add column agreement varchar default 'agreed'")
        connection.execute("create table core.dim_kpi as select 'gross_margin_rate' as kpi_id, '0.0 %' as bi_format")
        connection.execute("""
            create table kpi.kpi_system as select 'gross_margin_rate' as kpi_id, * from (values
                ('erp', timestamp '2016-06-02 06:59:00', null),
                ('oms', timestamp '2016-06-01 05:00:00', 'the OMS refuses connections'))
            as t(system, complete_up_to_utc, behind_because)
        """)
        connection.execute("""
            create table core.fct_shipment as select 'r1' as root_order_key, '1001' as order_number,
                'S-1' as oms_order_number, '1Z9' as tracking_number, 'EWR-1' as shipment_number
        """)
        connection.execute("""
            create table core.fct_event as
            select * from (values
                ('e2', 'delivered', 'carrier', timestamp '2024-03-03 19:05:00', '2024-03-03T14:05:00-05:00', 98),
                ('e1', 'received', 'oms', timestamp '2024-03-01 14:05:09', '2024-03-01T14:05:09Z', 100)
            ) as t(event_key, event_type, source_system, event_time_utc, event_time_raw, time_confidence)
        """)
        connection.execute("alter table core.fct_event add column root_order_key varchar default 'r1'")
        connection.execute("alter table core.fct_event add column customer_po varchar default 'PO-88'")
        connection.execute("alter table core.fct_event add column event_time_utc_min timestamp")
    publish(marts, home / "published", note={"as_of": "2016-06-02T07:00:00Z"})
    return home


@pytest.fixture
def crossdock(home: Path, tmp_path: Path) -> Crossdock:
    return Crossdock(home, tmp_path)
