"""No stamp stops a system, hides a record or brings an old one back: a stamp is as good as the clock it comes from."""

from email.utils import format_datetime

import pytest

from connectors.landing import Landing
from connectors.stamps import instant
from connectors.sync import landed_position, source_position, sync
from tests.rest.conftest import json_answer, order
from tests.rest.test_sync_rest import log_rows, state

AHEAD = "2942-03-01T00:00:00Z"


def page(*records: dict, **headers: str):
    return lambda _request: json_answer({"orders": records, "next_cursor": None}, **headers)


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-05:00"])
def test_a_stamp_without_an_instant_is_no_stamp_and_its_record_lands(api, oms, home, stamp):
    api.misbehave = [page(order(1), {**order(2), "updated_at": stamp})]
    result = sync(oms, home)
    assert (result.rows, result.dead) == (2, 0) and result.complete_up_to.isoformat() == "2024-03-01T00:01:00"


def test_a_record_from_the_future_hides_none_that_comes_after_it(api, oms, home):
    api.orders = [order(1), {**order(2), "updated_at": AHEAD}]
    first = sync(oms, home)
    assert first.complete_up_to.isoformat() == "2024-03-01T00:01:00"
    assert source_position(oms, first.position) == first.position, "there is nothing to do"
    api.orders.append(order(3))
    sync(oms, home)
    assert set(state(home)) == {"S-000001", "S-000002", "S-000003"}
    assert source_position(oms, landed_position(home, oms)) == landed_position(home, oms)


def test_a_stamp_from_the_future_that_is_set_right_lands(api, oms, home):
    api.orders = [order(1)]
    sync(oms, home)
    api.misbehave = [page({**order(2), "updated_at": AHEAD}), page({**order(2), "note": "right"})]
    sync(oms, home)
    assert sync(oms, home).rows == 1 and state(home)["S-000002"]["note"] == "right"


def test_a_stamp_without_an_offset_may_be_ahead_by_its_zone(api, oms, home):
    noon = instant("2024-03-01T12:00:00Z")
    api.misbehave = [page({**order(1), "updated_at": "2024-03-01T14:00:00"}, date=format_datetime(noon))]
    assert sync(oms, home).complete_up_to.isoformat() == "2024-03-01T14:00:00"


def test_what_changes_on_a_page_that_was_read_is_asked_for_again(api, oms, home):
    """An API that orders by number, and a sweep of ten minutes: one record changes behind it, one before it."""

    def at(minute: int) -> str:
        return f"2024-03-01T10:{minute:02d}:00Z"

    def unsorted(request):
        since, after = request.query_params.get("updated_since", ""), request.query_params.get("cursor") or ""
        found = [o for o in api.orders if o["updated_at"] >= since and o["number"] > after]
        more = found[9]["number"] if len(found) > 10 else None
        answer = json_answer({"orders": found[:10], "next_cursor": more}, date="Fri, 01 Mar 2024 10:01:00 GMT")
        if not after and len(api.requests) == 1:
            api.orders[0] |= {"updated_at": at(2), "status": "shipped"}
            api.orders[15] |= {"updated_at": at(10)}
        return answer

    api.orders = [{"number": f"S-{n:03d}", "updated_at": at(0)} for n in range(20)]
    api.misbehave = [unsorted] * 9
    assert sync(oms, home).complete_up_to.isoformat() == "2024-03-01T10:00:00"
    sync(oms, home)
    assert state(home)["S-000"].get("status") == "shipped"


def test_an_older_version_of_a_record_lands_over_no_newer_one(api, oms, home):
    old, new = order(1), {**order(1, 30), "status": "shipped"}
    api.misbehave = [
        page(old),
        page(new),
        page(old),
        page(new, order(2), {**order(2), "updated_at": old["updated_at"]}),
    ]
    for _ in range(4):  # the third answer is that of a replica which is behind
        sync(oms, home)
    assert state(home)["S-000001"]["status"] == "shipped"
    assert state(home)["S-000002"]["updated_at"] == order(2)["updated_at"]
    assert log_rows(home) == 3


def test_everything_asked_for_again_lands_as_it_is(api, oms, home):
    api.misbehave = [page({**order(1, 30), "status": "shipped"})]
    sync(oms, home)
    api.orders = [order(1)]  # a source that was set back to yesterday's copy
    assert sync(oms, home, full=True).rows == 1 and "status" not in state(home)["S-000001"]
    assert Landing(home / "landing" / "oms.duckdb", "oms").check_state("orders").ok
