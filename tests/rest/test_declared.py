"""A stream that is declared otherwise than before is read from its start: what it holds is what it says."""

import json

import duckdb
import pytest

from connectors.config_model import System
from connectors.landing import Landing
from connectors.load import load
from connectors.sync import sync
from tests.rest.conftest import json_answer, order
from tests.rest.test_sync_rest import log_rows, state


def having(oms: System, **changes: object) -> System:
    return oms.model_copy(update={"streams": (oms.streams[0].model_copy(update=changes),)})


def test_another_key_leaves_nothing_of_the_former_one(api, oms, home, tmp_path):
    api.orders = [{**order(n), "id": f"{n}"} for n in range(3)]
    sync(oms, home)
    load([oms], home, tmp_path / "warehouse.duckdb")
    other = having(oms, key=("id",))
    sync(other, home)
    landing = Landing(home / "landing" / "oms.duckdb", "oms")
    assert set(state(home)) == {"0", "1", "2"} and landing.check_state("orders").ok
    load([oms], home, tmp_path / "warehouse.duckdb")
    with duckdb.connect(tmp_path / "warehouse.duckdb") as db:
        assert db.execute("select count(*) from raw_oms.orders").fetchall() == [(3,)]
    before = log_rows(home)
    assert sync(other, home).rows == 0 and log_rows(home) == before


def test_wider_params_find_what_is_old(api, oms, home):
    def of_site(request):
        body, site = json.loads(api.page(request).body), request.query_params.get("site")
        return json_answer(body | {"orders": [o for o in body["orders"] if site in (None, o["site"])]})

    api.orders = [{**order(n), "site": site} for n, site in ((1, "A"), (2, "B"), (30, "A"))]
    api.misbehave = [of_site] * 9
    sync(having(oms, params={"site": "A"}), home)
    assert len(state(home)) == 2
    sync(oms, home)
    assert len(state(home)) == 3


@pytest.mark.parametrize(
    "changes", [{"path": "/moved"}, {"document": "sale"}, {"cursor": {"param": "updated_since", "field": "changed"}}]
)
def test_another_path_document_or_cursor_field_is_read_from_the_start_once(api, oms, home, changes):
    api.orders = [order(n) for n in range(3)]
    sync(oms, home)
    changes = {name: type(getattr(oms.streams[0], name)).model_validate(value) if name == "cursor" else value
               for name, value in changes.items()}  # fmt: skip
    other = having(oms, **changes)
    api.requests.clear()
    sync(other, home)
    assert "updated_since" not in api.requests[0] and len(state(home)) == 3


def test_keys_of_several_fields_are_one_only_when_each_field_is(api, oms, home):
    records = [
        {**order(1), "a": "x|y", "b": "z"},
        {**order(2), "a": "x", "b": "y|z"},
        {**order(3), "a": "x\\", "b": "y"},
    ]
    api.misbehave = [lambda _r: json_answer({"orders": records, "next_cursor": None})]
    sync(having(oms, key=("a", "b")), home)
    assert set(state(home)) == {"x\\|y|z", "x|y\\|z", "x\\\\|y"}
