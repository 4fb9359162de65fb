"""What misleads a ledger: versions that do not move, reads that fail for a moment, facts that come back."""

from contextlib import suppress
from types import SimpleNamespace

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from connectors.config_model import Write
from connectors.writeback import abandon, release
from connectors.writeback.errors import Refused
from connectors.writeback.ledger import writes
from orchestration import writes as commands
from orchestration.settings import Settings
from tests.writeback import steps


def wanted(control, landed, price: str = "21.50") -> str:
    steps.correct(control, landed.path, price)
    return steps.approved_plan(control, landed.path)


@pytest.fixture
def unversioned(erp, monkeypatch):
    monkeypatch.setattr(erp, "edit", lambda price: setattr(erp, "price", price))
    return erp


@pytest.mark.parametrize("status", [202, 401, 409, 412, 429, 500])
def test_a_write_that_took_effect_without_a_new_version_is_acknowledged(control, landed, unversioned, status):
    plan_hash = wanted(control, landed)
    unversioned.behave = [f"effect_{status}"]
    assert steps.apply(control, unversioned.url, plan_hash)[0]["state"] == "acked"
    landed.see()
    assert [row["state"] for row in steps.verify(control, landed.path)] == ["verified"]
    assert unversioned.applied == ["21.50"]


@pytest.mark.parametrize("body", [{"unit_price": "20.00"}, "<h1>thank you</h1>"])
def test_a_success_without_a_version_is_a_refusal_once_a_read_cannot_lag_any_more(control, landed, erp, at, body):
    plan_hash = wanted(control, landed)
    erp.on_patch = lambda _: JSONResponse(body)
    for seconds in (0, 100):
        at(seconds=seconds)
        row = steps.apply(control, erp.url, plan_hash, timeout_s=60)[0]
        assert row["state"] == "in_doubt"
    at(seconds=121)
    assert steps.apply(control, erp.url, plan_hash, timeout_s=60)[0]["state"] == "rejected"


@pytest.mark.parametrize("body", [b"", b"{}", b"null"])
def test_a_success_that_tells_a_version_and_nothing_else_is_one(control, landed, erp, body):
    plan_hash = wanted(control, landed)
    erp.on_patch = lambda _: Response(body, 200, headers={"ETag": '"8"'})
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "acked"


@pytest.mark.parametrize("was_there_before", [False, True])
def test_a_success_that_changed_nothing_is_a_refusal(control, landed, unversioned, was_there_before):
    if was_there_before:  # the log has our value under this very version
        for price in ("21.50", "20.00"):
            unversioned.edit(price)
            landed.see()
    plan_hash = wanted(control, landed)
    unversioned.on_patch = lambda _: unversioned.answer()
    row = steps.apply(control, unversioned.url, plan_hash)[0]
    assert (row["state"], row["detail"]) == ("rejected", "HTTP 200: it said success and changed nothing")
    assert steps.verify(control, landed.path) == []
    assert steps.plan(control, landed.path)["changes"][0]["action"] == "write"


def test_what_landed_before_a_write_does_not_speak_against_it_where_no_version_moved(control, landed, unversioned):
    steps.apply(control, unversioned.url, wanted(control, landed))
    assert steps.verify(control, landed.path) == []
    landed.see()
    assert [row["state"] for row in steps.verify(control, landed.path)] == ["verified"]


def test_a_target_that_cannot_be_read_just_now_is_not_written(control, landed, erp):
    plan_hash = wanted(control, landed)
    erp.price, erp.readable = "19.00", False
    row = steps.apply(control, erp.url, plan_hash)[0]
    assert row["state"] == "approved" and "503" in row["detail"] and erp.requests == 0
    erp.readable = True
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "stale"
    assert erp.price == "19.00"


UNREADABLE = [302, 404, 423, 507, 520, "too much", "a list", "a page", "a page with a version", "nothing"]


@pytest.mark.parametrize("answer", UNREADABLE)
def test_a_person_is_not_written_over_while_the_target_says_something_odd(control, landed, unversioned, answer):
    plan_hash = wanted(control, landed)
    unversioned.price = "19.00"
    etag = {"ETag": '"7"'}
    odd = {
        "too much": Response(b'{"unit_price": "' + b"2" * (1 << 20) + b'"}', 200, headers=etag),
        "a list": JSONResponse([1], 200, headers=etag),
        "a page": HTMLResponse("<h1>maintenance</h1>"),
        "a page with a version": HTMLResponse("<h1>maintenance</h1>", headers=etag),
        "nothing": Response(b"", 200, headers=etag),
    }
    unversioned.on_get = lambda _: odd[answer] if answer in odd else JSONResponse({}, answer)
    row = steps.apply(control, unversioned.url, plan_hash)[0]
    assert row["state"] == ("stale" if answer == 404 else "approved") and row["detail"]
    unversioned.on_get = None
    with suppress(Refused):
        steps.apply(control, unversioned.url, plan_hash)
    assert unversioned.price == "19.00" and unversioned.requests == 0


@pytest.mark.parametrize("status", [401, 403, 405])
def test_a_target_that_is_never_readable_is_written_on_what_landed(control, landed, erp, status):
    plan_hash = wanted(control, landed)
    erp.on_get = lambda _: JSONResponse({}, status)
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "acked"


@pytest.mark.parametrize("status", [404, 410])
def test_a_record_that_is_gone_is_not_made_anew(control, landed, erp, status):
    plan_hash = wanted(control, landed)
    erp.on_get = lambda _: JSONResponse({}, status)
    row = steps.apply(control, erp.url, plan_hash)[0]
    assert (row["state"], row["detail"]) == ("stale", "the record is gone from the target") and erp.requests == 0


def test_what_was_abandoned_and_is_asked_for_again_is_sent(control, landed, erp, mapping):
    erp.behave = ["refuse_422"]
    (row,) = steps.apply(control, erp.url, wanted(control, landed))
    abandon(control, mapping, row["id"], "never mind")
    assert steps.apply(control, erp.url, wanted(control, landed))[0]["state"] == "acked"
    assert erp.applied == ["21.50"]


def test_a_plan_that_comes_back_is_approved_again(control, landed, erp):
    first = wanted(control, landed)
    wanted(control, landed, "22.00")
    assert wanted(control, landed) == first
    assert steps.apply(control, erp.url, first)[0]["state"] == "acked"


def test_a_write_under_way_is_not_released(control, landed, erp):
    plan_hash = wanted(control, landed)

    def meanwhile(phase: str) -> None:
        if phase == "sending":
            with pytest.raises(Refused, match="being sent right now"):
                release(control, writes(control)[0]["id"], "why")

    assert steps.apply(control, erp.url, plan_hash, on_phase=meanwhile)[0]["state"] == "acked"


def test_a_throttled_write_is_tried_again_by_the_sensor(control, landed, erp, tmp_path):
    plan_hash = wanted(control, landed)
    erp.behave = ["throttle"] * 5
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "throttled"
    assert commands.waiting(Settings(home=tmp_path, systems=tmp_path)) == [plan_hash]


def system_of(erp) -> SimpleNamespace:
    auth = {"header": "X-Api-Key", "value": "secret"}
    write = Write.model_validate(
        {"kind": "http", "base_url": erp.url, "auth": auth, "guarantee": "A", "entities": ["item"], "timeout": "2s"}
    )
    return SimpleNamespace(system="erp", write=write)


def test_the_command_sends_the_header_of_the_system_file(control, landed, erp, tmp_path):
    plan_hash = wanted(control, landed)
    row = commands.apply(Settings(home=tmp_path, systems=tmp_path), system_of(erp), plan_hash)[0]
    assert row["state"] == "acked" and erp.headers["x-api-key"] == "secret"


def test_the_command_compares_with_what_has_landed(control, landed, erp, tmp_path):
    plan_hash = wanted(control, landed)
    erp.price = "19.00"
    landed.see()
    erp.price = "20.00"  # the target's answer lags behind its own log
    row = commands.apply(Settings(home=tmp_path, systems=tmp_path), system_of(erp), plan_hash)[0]
    assert row["state"] == "stale" and "landed" in row["detail"] and erp.requests == 0
