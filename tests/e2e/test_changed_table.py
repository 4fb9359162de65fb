"""At the command: tables that change under a running company land, stand still by contract, and come back; the KPIs
stay true.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo

from tests.e2e.box import Box, sandbox
from tests.e2e.demo import ROOT, differences, published, truth

pytestmark = [pytest.mark.verify, pytest.mark.timeout(900)]
LATE, FROZEN = "application_delivery_methods", "warehouse_stock_groups"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with sandbox(tmp_path_factory.mktemp("changed"), "--world", "simulated", "--days", "8") as box:
        yield box


def systems(box: Box, *, without: str = "") -> Path:
    """The sandbox's system files, with one ERP stream frozen and perhaps another left out."""
    folder = box.home / "systems"
    shutil.copytree(ROOT / "sandbox" / "systems_yaml" / "simulated", folder, dirs_exist_ok=True)
    erp = yaml.safe_load((folder / "erp.yaml").read_text())
    erp["streams"] = [stream for stream in erp["streams"] if stream["name"] != without]
    for stream in erp["streams"]:
        if stream["name"] == FROZEN:
            stream["contract"] = "freeze"
    (folder / "erp.yaml").write_text(yaml.safe_dump(erp, sort_keys=False))
    return folder


def crossdock(box: Box, *arguments: str) -> tuple[int, str]:
    env = os.environ | box.env | {"CROSSDOCK_HOME": str(box.home), "CROSSDOCK_SYSTEMS": str(box.home / "systems")}
    command = [sys.executable, "-m", "orchestration.cli", *arguments]
    env |= {"PYTHONPATH": str(ROOT), "DO_NOT_TRACK": "1"}
    done = subprocess.run(command, cwd="/", env=env, capture_output=True, text=True, timeout=400)
    return done.returncode, done.stdout + done.stderr


def landed(box: Box, query: str) -> list[tuple]:
    with duckdb.connect(str(box.home / "warehouse.duckdb"), read_only=True) as warehouse:
        return warehouse.execute(query).fetchall()


def test_changed_tables_land_or_stand_still_by_name_and_one_command_brings_them_back(box: Box) -> None:
    password = next(box.home.rglob("superuser.password")).read_text().strip()
    systems(box, without=LATE)
    assert crossdock(box, "run")[0] == 0
    with psycopg.connect(make_conninfo(box.env["ERP_DSN"], user="postgres", password=password), autocommit=True) as erp:
        erp.execute("alter table sales.orders add column note text not null default 'as before'")
        erp.execute("alter table sales.order_lines alter quantity type numeric")
        erp.execute("alter table warehouse.stock_groups add column colour text default 'red'")
        box.advance()
        systems(box)
        status, said = crossdock(box, "run")
        assert status == 3, said
        assert "colour (text) came" in said and f"--snapshot erp.{FROZEN}" in said
        assert landed(box, "select distinct note from raw_erp.sales_orders") == [("as before",)]
        assert landed(box, f"select count(*) > 0 from raw_erp.{LATE}") == [(True,)]
        assert differences(truth(box.home), published(box.home)) == []
        status, said = crossdock(box, "run", "--snapshot", f"erp.{FROZEN}")
        assert status == 0, said
        assert landed(box, f"select distinct colour from raw_erp.{FROZEN}") == [("red",)]
        assert differences(truth(box.home), published(box.home)) == []
        status, said = crossdock(box, "run", "--snapshot", "erp.none")
        assert status == 2 and "no stream none" in said
        status, said = crossdock(box, "totals", "--system", "erp")
        streams = len(yaml.safe_load((box.home / "systems" / "erp.yaml").read_text())["streams"])
        assert status == 0 and f"erp: {streams} of {streams} streams are equal" in said
