"""OMS and carrier: whatever the knobs do, a patient reader ends with every document."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from sandbox.systems.documents import Documents
from sandbox.systems.faults import CHAOS, Faults
from sandbox.systems.rest import CARRIER, OMS, rest_app
from sandbox.systems.web import Servers
from tests.sandbox_systems.conftest import BEGUN, order


class System:
    def __init__(self, servers: Servers) -> None:
        self.faults = Faults(seed=7)
        self.documents = Documents("number", self.faults)
        url = servers.serve(rest_app(OMS, self.documents, self.faults, "secret"))
        self.client = httpx2.Client(base_url=url, headers={"x-api-key": "secret"})

    def read(self, **parameters: Any) -> list[dict[str, Any]]:
        """All pages; a failing one is asked for again."""
        found, cursor = [], None
        while True:
            try:
                page = self.client.get("/v1/orders", params=parameters | ({"cursor": cursor} if cursor else {}))
            except httpx2.TransportError:
                continue
            if page.status_code != 200:
                continue
            found += page.json()["orders"]
            cursor = page.json()["next_cursor"]
            if cursor is None:
                return found


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    made = Servers()
    yield made
    made.stop()


@pytest.fixture
def oms(servers: Servers) -> System:
    return System(servers)


def test_pages_hold_every_document_once_in_order(oms: System) -> None:
    oms.documents.add([order(n, minute=n // 3) for n in range(50)], BEGUN, bulk=True)
    found = oms.read(limit=7)
    assert [each["number"] for each in found] == [f"S-{n:06}" for n in range(50)]


def test_updated_since_is_inclusive_and_a_new_version_moves_to_the_end(oms: System) -> None:
    oms.documents.add([order(n, minute=n) for n in range(5)], BEGUN, bulk=True)
    oms.documents.add([order(0, minute=9, status="shipped")], BEGUN)
    found = oms.read(updated_since="2024-03-01T10:03:00Z")
    assert [(each["number"][-1], each["status"]) for each in found] == [
        ("3", "accepted"),
        ("4", "accepted"),
        ("0", "shipped"),
    ]
    assert oms.client.get("/v1/orders/S-000000").json()["status"] == "shipped"


@pytest.mark.parametrize(
    "parameters",
    [{"updated_since": "2024-03-01"}, {"updated_since": "x"}, {"cursor": "x"}, {"limit": "0"}, {"limit": "201"}],
)
def test_a_bad_parameter_is_422(oms: System, parameters: dict[str, str]) -> None:
    assert oms.client.get("/v1/orders", params=parameters).status_code == 422


def test_without_the_key_nothing_is_told(oms: System, servers: Servers) -> None:
    assert oms.client.get("/v1/orders", headers={"x-api-key": "wrong"}).status_code == 401
    url = servers.serve(rest_app(CARRIER, Documents("tracking_number", Faults()), Faults(), "token"))
    assert httpx2.get(f"{url}/v1/trackers").status_code == 401
    told = httpx2.get(f"{url}/v1/trackers", headers={"authorization": "Bearer token"})
    assert told.json() == {"trackers": [], "next_cursor": None}


def test_faults_pass(oms: System) -> None:
    oms.documents.add([order(n, minute=n) for n in range(300)], BEGUN, bulk=True)
    oms.faults.set({"error_rate": 0.5, "truncate_rate": 0.3, "duplicate_rate": 0.2, "shuffle_rate": 1.0})
    found = oms.read(limit=20)
    numbers = [each["number"] for each in found]
    assert sorted(set(numbers)) == [f"S-{n:06}" for n in range(300)]
    assert len(numbers) > 300 and numbers != sorted(numbers)


def test_a_broken_off_body_is_seen_as_such(oms: System) -> None:
    oms.documents.add([order(n) for n in range(50)], BEGUN, bulk=True)
    oms.faults.set({"truncate_next": 1})
    with pytest.raises(httpx2.TransportError):
        oms.client.get("/v1/orders")
    assert len(oms.client.get("/v1/orders").json()["orders"]) == 50


def test_a_late_document_comes_with_the_time_it_is_told_and_never_goes_back(oms: System) -> None:
    oms.faults.set({"late_rate": 1.0, "late_days": 2, "late_seconds": 3600})
    oms.documents.add([order(1, status="accepted"), order(1, minute=5, status="shipped")], BEGUN)
    assert oms.read() == [] and oms.documents.waiting == 2
    oms.documents.release(BEGUN + timedelta(days=1))
    assert oms.read() == []
    oms.documents.release(BEGUN + timedelta(days=2))
    assert oms.read() == [order(1, status="shipped") | {"updated_at": "2024-03-03T10:00:00Z"}]


def test_a_late_document_also_comes_when_the_world_stands_still(oms: System) -> None:
    oms.faults.set({"late_rate": 1.0, "late_seconds": 0.0})
    oms.documents.add([order(1)], BEGUN)
    oms.documents.release(BEGUN)
    assert [each["number"] for each in oms.read()] == ["S-000001"]


def test_chaos_never_fails_more_than_twice_in_a_row() -> None:
    faults = Faults(CHAOS)
    faults.set({"error_rate": 0.9, "truncate_rate": 0.1})
    throws = "".join("x" if faults.failure() else "." for _ in range(500))
    assert "xxx" not in throws and "xx" in throws
