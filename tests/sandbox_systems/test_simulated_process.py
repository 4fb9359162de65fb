"""The simulated world through its real servers: under chaos, what the systems tell in the end is what happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from sandbox.systems.postgres import PostgresServer
from sandbox.world.simulated import SimulatedWorld

ROOT = Path(__file__).resolve().parents[2]
DAYS, ORDERS = 14, 6.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose sandbox runs with --chaos and has told everything."""
    folder = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-m", "sandbox", "--home", str(folder), "--days", str(DAYS)]
    command += ["--orders-per-day", str(ORDERS), "--chaos", "--follow-parent"]
    process = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert any(json.loads(line)["phase"] == "ready" for line in process.stdout)
        control = env(folder)["SANDBOX_CONTROL"]
        deadline = time.monotonic() + 30
        while any(httpx2.get(f"{control}/healthz").json()["waiting"].values()) and time.monotonic() < deadline:
            time.sleep(0.2)
        calm = dict.fromkeys(("erp", "oms", "wms", "carrier"))
        httpx2.post(f"{control}/faults", json=calm).raise_for_status()
        yield folder
    finally:
        process.terminate()
        process.wait(20)
        PostgresServer(folder / "sandbox" / "erp").discard()


@pytest.fixture(scope="module")
def happened() -> tuple[SimulatedWorld, Any]:
    """The same world, told to nobody."""
    world = SimulatedWorld(1, DAYS, ORDERS)
    return world, world.advance(world.now + timedelta(days=DAYS))


def env(folder: Path) -> dict[str, str]:
    return json.loads((folder / "sandbox" / "env.json").read_text())["env"]


@pytest.mark.slow
def test_the_erp_holds_the_final_rows(home: Path, happened: tuple[SimulatedWorld, Any]) -> None:
    rows: dict[str, dict[Any, dict[str, Any]]] = {}
    for change in happened[1].erp:
        key = next(iter(change.row.values()))
        if change.op == "delete":
            rows[change.table].pop(key)
        else:
            rows.setdefault(change.table, {})[key] = change.row
    with psycopg.connect(env(home)["ERP_DSN"], row_factory=psycopg.rows.dict_row) as connection:
        for table, expected in rows.items():
            found = connection.execute(f"select * from {table}").fetchall()  # type: ignore[arg-type]
            for row in found:
                assert expected.pop(next(iter(row.values()))) == row
            assert not expected, f"{table} lacks rows"


@pytest.mark.slow
def test_oms_carrier_and_drop_hold_every_document(home: Path, happened: tuple[SimulatedWorld, Any]) -> None:
    settings = env(home)
    for url, path, records, key, header, told in (
        ("OMS_URL", "/v1/orders", "orders", "number", {"x-api-key": settings["OMS_API_KEY"]}, happened[1].oms),
        (
            *("CARRIER_URL", "/v1/trackers", "trackers", "tracking_number"),
            {"authorization": "Bearer " + settings["CARRIER_TOKEN"]},
            happened[1].carrier,
        ),
    ):
        found: dict[str, Any] = {}
        cursor: str | None = ""
        while cursor is not None:
            page = httpx2.get(settings[url] + path, params={"cursor": cursor}, headers=header).json()
            found |= {each[key]: each for each in page[records]}
            cursor = page["next_cursor"]
        expected = {each[key]: each for each in told}
        assert found.keys() == expected.keys()
        for number, document in found.items():
            assert document | {"updated_at": ""} == expected[number] | {"updated_at": ""}
    for file in happened[1].wms:
        dropped = home / "sandbox" / "wms" / "outbound" / file.site / file.name
        assert dropped.read_bytes() == file.content
    assert not list((home / "sandbox" / "wms").rglob("*.part"))


@pytest.mark.slow
def test_the_truth_is_the_worlds_own(home: Path, happened: tuple[SimulatedWorld, Any]) -> None:
    written = json.loads((home / "sandbox" / "truth.json").read_text())
    assert written == json.loads(json.dumps(happened[0].truth(), default=str)) and written
