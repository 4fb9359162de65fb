"""The ERP's API: a write needs the version it was made for, and takes effect once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

import httpx2
import psycopg
import pytest

from sandbox.systems.erp import filling
from sandbox.systems.erp.api import erp_api
from sandbox.systems.erp.database import ErpDatabase
from sandbox.systems.faults import Faults
from sandbox.systems.web import Servers
from tests.sandbox_systems.conftest import Row

EDITED = datetime(2024, 3, 2, 8, 15)


@pytest.fixture(scope="module")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="module")
def client(filled: ErpDatabase, faults: Faults) -> Iterator[httpx2.Client]:
    servers = Servers()
    url = servers.serve(erp_api(filled, faults, "secret", lambda: EDITED))
    with httpx2.Client(base_url=url, headers={"authorization": "Bearer secret"}) as made:
        yield made
    servers.stop()


def etag(client: httpx2.Client, path: str = "/v1/items/142") -> str:
    return client.get(path).headers["etag"]


def test_a_write_for_the_current_version_is_one_update(client: httpx2.Client, filled: ErpDatabase) -> None:
    before = client.get("/v1/items/142")
    assert before.headers["etag"] == f'"{before.json()["row_version"]}"'
    with psycopg.connect(filled.reader_dsn, autocommit=True) as reader:
        reader.execute("select pg_create_logical_replication_slot('api', 'pgoutput')")
        done = client.patch("/v1/items/142", json={"unit_price": "21.50"}, headers={"if-match": before.headers["etag"]})
        changes = reader.execute(
            "select get_byte(data, 0) from pg_logical_slot_get_binary_changes('api', null, null,"
            " 'proto_version', '1', 'publication_names', 'crossdock')"
        ).fetchall()
        reader.execute("select pg_drop_replication_slot('api')")
    assert done.status_code == 200 and done.json()["unit_price"] == "21.50"
    assert done.headers["etag"] == f'"{before.json()["row_version"] + 1}"'
    assert done.json()["last_edited_when"] == EDITED.isoformat()
    assert [chr(kind) for (kind,) in changes if chr(kind) in "IUD"] == ["U"]


def test_a_stale_version_changes_nothing_and_tells_the_current_one(client: httpx2.Client) -> None:
    current = etag(client)
    for stale in ('"999"', f"W/{current}"):
        refused = client.patch("/v1/items/142", json={"unit_price": 1}, headers={"if-match": stale})
        assert refused.status_code == 412 and refused.headers["etag"] == current
    assert etag(client) == current


@pytest.mark.parametrize("headers", [{}, {"if-match": "*"}])
def test_a_write_without_a_version_is_refused(client: httpx2.Client, headers: dict[str, str]) -> None:
    assert client.patch("/v1/items/142", json={"unit_price": 1}, headers=headers).status_code == 428


@pytest.mark.parametrize(
    "body",
    [
        {"unit_price": "1.005"},
        {"unit_price": -1},
        {"unit_price": True},
        {"unit_price": "NaN"},
        {"lead_time_days": 1.5},
        {"stock_item_name": " "},
        {"row_version": 3},
        {"nonsense": 1},
        {},
        [],
    ],
)
def test_a_bad_field_or_value_is_named(client: httpx2.Client, body: object) -> None:
    refused = client.patch("/v1/items/142", json=body, headers={"if-match": etag(client)})
    assert refused.status_code == 422
    assert set(refused.json()["fields"]) == (set(body) if isinstance(body, dict) and body else {""})


@pytest.mark.parametrize("path", ["/v1/items/143", "/v1/items/x", "/v1/orders/1", "/v1/items/99999999999"])
def test_an_unknown_record_is_404(client: httpx2.Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.patch(path, json={"unit_price": 1}, headers={"if-match": '"1"'}).status_code == 404


def test_customers_and_suppliers_are_written_alike(client: httpx2.Client) -> None:
    for path, body in (
        ("/v1/customers/142", {"credit_limit": None, "is_on_credit_hold": True}),
        ("/v1/suppliers/142", {"payment_days": 30}),
    ):
        done = client.patch(path, json=body, headers={"if-match": etag(client, path)})
        assert done.status_code == 200 and body.items() <= done.json().items()


def test_a_wrong_token_is_refused(client: httpx2.Client) -> None:
    assert client.get("/v1/items/142", headers={"authorization": "Bearer x"}).status_code == 401


def test_over_the_rate_it_says_when_to_come_back(client: httpx2.Client, faults: Faults) -> None:
    faults.set({"requests_per_second": 1.0})
    try:
        answers = [client.get("/v1/items/142") for _ in range(5)]
    finally:
        faults.set(None)
        time.sleep(0.1)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and all(int(answer.headers["retry-after"]) >= 1 for answer in refused)


def test_an_unanswered_write_took_effect(client: httpx2.Client, faults: Faults) -> None:
    version = etag(client)
    faults.set({"timeout_after_effect": 1, "hang_seconds": 3.0})
    try:
        with pytest.raises(httpx2.TimeoutException):
            client.patch("/v1/items/142", json={"lead_time_days": 77}, headers={"if-match": version}, timeout=0.5)
        assert client.get("/v1/items/142").json()["lead_time_days"] == 77
        assert etag(client) != version
    finally:
        faults.set(None)


def test_the_world_does_not_overwrite_what_a_person_wrote(
    client: httpx2.Client, filled: ErpDatabase, change: Row
) -> None:
    client.patch("/v1/items/142", json={"unit_price": "8.00"}, headers={"if-match": etag(client)})
    version = client.get("/v1/items/142").json()["row_version"]
    filling.apply(filled, [change("warehouse.stock_items", 142, stock_item_name="renamed by the world", row_version=2)])
    row = client.get("/v1/items/142").json()
    assert (row["unit_price"], row["stock_item_name"], row["row_version"]) == (
        "8.00",
        "renamed by the world",
        version + 1,
    )
