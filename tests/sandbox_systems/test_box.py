"""The box: a step is visible everywhere when it returns; what the knobs hold back comes in the end."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import httpx2
import psycopg
import pytest

from sandbox.systems.box import Box
from sandbox.systems.control import control_app
from sandbox.systems.erp import filling
from sandbox.systems.erp.state import State
from sandbox.systems.faults import CHAOS
from tests.sandbox_systems.conftest import BEGUN, Change, File, Told, order

GROUPS = "sales.buying_groups"


def group(number: int, name: str = "first") -> Change:
    return Change("upsert", GROUPS, {"buying_group_id": number, "buying_group_name": name})


def told(numbers: range, name: str = "first") -> Told:
    return Told(
        erp=[group(number, name) for number in numbers],
        oms=[order(number) for number in numbers],
        wms=[File("EWR", f"events_{number}.jsonl", b"{}\n") for number in numbers],
        carrier=[order(number) | {"tracking_number": str(number)} for number in numbers],
    )


def erp_rows(box: Box) -> dict[int, str]:
    with psycopg.connect(box.database.reader_dsn) as connection:
        return dict(connection.execute(f"select * from {GROUPS}").fetchall())


def test_a_step_is_visible_everywhere(box: Box) -> None:
    filling.load(box.database, [group(0)], State(box.identity, BEGUN))
    box.fill_documents(told(range(1)), BEGUN)
    box.step(told(range(1, 3), "second"), BEGUN + timedelta(days=1))
    assert erp_rows(box) == {0: "first", 1: "second", 2: "second"}
    assert len(box.orders) == len(box.trackers) == 3
    assert len(list((box.outbox.root / "outbound" / "EWR").iterdir())) == 3
    assert set(box.env) >= {"ERP_DSN", "ERP_API", "OMS_URL", "CARRIER_URL", "WMS_SFTP_PORT", "WMS_SFTP_HOST_KEY"}


def test_under_chaos_everything_arrives_in_the_end(box: Box) -> None:
    box.fill_documents(Told(), BEGUN)
    for faults in box.faults.values():
        faults.set({"late_rate": 0.5, "late_seconds": 0.5, "duplicate_rate": 0.3, "shuffle_rate": 1.0})
    assert CHAOS.late_rate > 0
    box.step(told(range(60)), BEGUN + timedelta(days=1))
    box.step(told(range(60), "second"), BEGUN + timedelta(days=1))
    assert all(waiting > 0 for waiting in box.waiting.values())
    assert len(erp_rows(box)) < 60
    time.sleep(0.6)
    box.tick()
    assert not any(box.waiting.values())
    assert erp_rows(box) == dict.fromkeys(range(60), "second")
    assert len(box.orders) == len(box.trackers) == 60


def test_the_database_may_lose_readers_or_go_down_and_comes_back_at_the_same_port(box: Box) -> None:
    box.fill_documents(Told(), BEGUN)
    with psycopg.connect(box.database.reader_dsn) as reader:
        box.faults["erp"].set({"drop_next": 1, "drop_every_seconds": 0.0})
        box.tick()
        with pytest.raises(psycopg.OperationalError):
            reader.execute("select 1")
    box.faults["erp"].set({"down_seconds": 0.1})
    box.tick()
    assert erp_rows(box) == {}


def test_the_control_api_lets_time_pass_and_turns_knobs(box: Box) -> None:
    def advance(days: float) -> Any:
        assert box.now is not None
        box.step(told(range(1)), box.now + timedelta(days=days))
        return box.now

    control = httpx2.Client(base_url=box.servers.serve(control_app(box, advance)))
    assert control.get("/now").status_code == 503
    box.fill_documents(Told(), BEGUN)
    assert control.get("/now").json() == {"now": "2024-03-01T10:00:00Z"}
    assert control.post("/advance", json={"days": 2}).json() == {"now": "2024-03-03T10:00:00Z"}
    assert control.get("/healthz").json()["waiting"] == {"erp": 0, "oms": 0, "wms": 0, "carrier": 0}
    assert control.post("/faults", json={"oms": {"error_next": 3}}).json()["oms"]["error_next"] == 3
    assert [httpx2.get(f"{box.env['OMS_URL']}/v1/orders").status_code >= 500 for _ in range(4)] == [True] * 3 + [False]
    for bad in ({"days": 0}, {"days": "x"}, {}, []):
        assert control.post("/advance", json=bad).status_code == 422
    for bad in ({"oms": {"x": 1}}, {"pos": {}}, {"oms": {"error_rate": 2}}, [], {"oms": {"slow_rate": "a lot"}}):
        assert control.post("/faults", json=bad).status_code == 422


def test_another_world_does_not_move_in(box: Box) -> None:
    filling.load(box.database, [group(0)], State({"name": "other"}, BEGUN))
    again = Box(box.folder, box.identity, "America/Chicago")
    box.database.server.stop()
    with pytest.raises(ValueError, match="holds another world"):
        again.start()
    again.stop()
