"""What a target says may be anything: no text, number or page of it stops a step, or is taken for what it is not."""

import json

import pytest
from sqlalchemy import select
from starlette.responses import HTMLResponse, JSONResponse, Response

from connectors.control.tables import attempt
from connectors.writeback.ledger import writes
from connectors.writeback.mapping import FieldRule
from connectors.writeback.target import HttpTarget, _retry_after
from tests.writeback import steps
from tests.writeback.steps import wanted

ETAG = {"ETag": '"8"'}


def with_effect(erp, answer: Response):
    def patch(_) -> Response:
        erp.edit("21.50")
        erp.applied.append("21.50")
        return answer

    return patch


ODD = {
    "a date beyond all calendars": JSONResponse(
        {}, 503, headers={"Retry-After": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}
    ),
    "a redirect to no address": Response(b"", 303, headers={"Location": "urn:done"}),
    "a page for an answer": HTMLResponse("<h1>thank you</h1>", headers=ETAG),
    "a number beyond all numbers": Response(b'{"unit_price": 1e99999999999999999999}', 200, headers=ETAG),
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_answer_after_an_effect_is_settled_by_reading(control, landed, erp, what):
    plan_hash = wanted(control, landed.path)
    erp.on_patch = with_effect(erp, ODD[what])
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "acked"
    with control.transaction() as connection:
        assert connection.execute(select(attempt.c.outcome)).scalars().all() == ["in_doubt"]


def test_an_error_of_ours_after_sending_is_a_doubt(control, landed, erp, monkeypatch):
    plan_hash, patch = wanted(control, landed.path), HttpTarget.patch
    monkeypatch.setattr(HttpTarget, "patch", lambda *given: (patch(*given), {}["nothing"]))
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "acked" and erp.requests == 1


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "soon", "-1"])
def test_a_wait_is_a_number_whatever_was_said(text):
    assert 0.0 <= _retry_after(text) <= 60.0


def test_half_a_character_in_a_refusal_is_recorded(control, landed, erp):
    plan_hash = wanted(control, landed.path)
    erp.on_patch = lambda _: Response(b'{"error": "\\ud800 no\\u0000"}', 422)
    row = steps.apply(control, erp.url, plan_hash)[0]
    assert row["state"] == "rejected" and "\ufffd no\ufffd" in row["detail"] and erp.requests == 1


def test_half_a_character_in_a_value_is_a_persons_edit(control, landed, erp):
    plan_hash = wanted(control, landed.path, stock_item_name="cup")
    erp.on_get = lambda _: Response(b'{"stock_item_name": "\\ud83d cut"}', 200, headers=ETAG)
    row = steps.apply(control, erp.url, plan_hash)[0]
    assert row["state"] == "stale" and "\ufffd cut" in row["detail"]


def test_a_page_does_not_acknowledge_a_value_that_was_to_be_emptied(control, landed, erp):
    landed.run("update {} set barcode = '4711'")
    plan_hash = wanted(control, landed.path, barcode="")
    erp.on_get = lambda _: JSONResponse(erp.row() | {"barcode": "4711"}, headers=ETAG)

    def patch(_) -> Response:
        erp.on_get = lambda _: HTMLResponse("<h1>maintenance</h1>", headers={"ETag": '"5f3-61"'})
        return HTMLResponse("<h1>maintenance</h1>", 503)

    erp.on_patch = patch
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "in_doubt"


RULE = FieldRule(type="decimal(18,2)")
TEXTS = ["20.005", "dear", "NaN", "1e999999", "-1e-999999", "\ud800", "2\x000.00", [1], {}, True, "9" * 5000]


@pytest.mark.parametrize("value", TEXTS)
def test_what_does_not_fit_is_told_as_it_is_and_is_no_value(value):
    told = RULE.told(value)
    assert told is not None and told.encode()
    assert RULE.told(told) == told != RULE.told("20.00")


def test_a_wish_is_exact():
    assert [RULE.canonical(text) for text in ("-0", "-0.00", "0")] == ["0.00"] * 3
    assert FieldRule(type="decimal(38,2)").canonical("9" * 36 + ".01") == "9" * 36 + ".01"


def test_a_number_in_an_answer_is_read_to_the_last_digit(control, landed, erp):
    erp.price = "9007199254740993.01"
    landed.see()
    bare = json.dumps(erp.row()).replace('"9007199254740993.01"', "9007199254740993.01")
    erp.on_get = lambda _: Response(bare.encode(), 200, headers={"ETag": '"7"'})
    plan_hash = wanted(control, landed.path, unit_price="9007199254740999.01")
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "acked"


def test_answers_are_asked_for_unpacked(control, landed, erp):
    steps.apply(control, erp.url, wanted(control, landed.path))
    assert erp.headers["accept-encoding"] == "identity"


@pytest.fixture
def odd_landing(landed):
    """Two items; the source has begun to keep prices with three decimals."""
    landed.run("alter table {} alter unit_price type decimal(18,3)")
    landed.run("insert into {} values ('u', 143, 20.00, 'mug', 7, null, 1, 7)")
    return landed


def test_a_value_that_does_not_fit_settles_its_own_doubt(control, landed, erp, monkeypatch):
    plan_hash = wanted(control, landed.path)
    erp.behave = ["die_before"]
    assert steps.apply(control, erp.url, plan_hash, timeout_s=60)[0]["state"] == "in_doubt"
    erp.edit("20.005")
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "stale"


@pytest.mark.parametrize("price", ["20.005", "dear"])
def test_a_landed_value_that_does_not_fit_is_planned_and_corrected(control, odd_landing, price):
    steps.correct(control, odd_landing.path, "21.50")
    odd_landing.run("alter table {} alter unit_price type varchar")
    odd_landing.run(f"update {{}} set unit_price = '{price}' where stock_item_id = 142")
    assert price in steps.plan(control, odd_landing.path)["changes"][0]["reason"]
    steps.correct(control, odd_landing.path, "21.60")
    assert steps.plan(control, odd_landing.path)["changes"][0]["action"] == "write"


def test_an_edit_that_does_not_fit_is_seen_in_what_landed(control, odd_landing, erp):
    plan_hash = wanted(control, odd_landing.path)
    odd_landing.run("update {} set unit_price = 20.005 where stock_item_id = 142")
    erp.on_get = lambda _: JSONResponse({}, 403)
    with steps.open_observed(odd_landing.path, "erp", steps.MAPPING) as observed:
        row = steps.apply(control, erp.url, plan_hash, newest=observed.newest)[0]
    assert row["state"] == "stale" and erp.requests == 0


def test_one_odd_record_holds_up_no_other(control, odd_landing, erp):
    for key in ("142", "143"):
        steps.correct_fields(control, odd_landing.path, key, lead_time_days="9")
    plan_hash = steps.approved_plan(control, odd_landing.path)
    record = erp.row() | {"lead_time_days": 7}
    odd = record | {"lead_time_days": "a week"}
    erp.on_get = lambda request: JSONResponse(odd if request.path_params["key"] == "142" else record, headers=ETAG)
    erp.on_patch = lambda _: JSONResponse(record | {"lead_time_days": 9}, headers=ETAG)
    steps.apply(control, erp.url, plan_hash)
    assert {row["key"]: row["state"] for row in writes(control)} == {"142": "stale", "143": "acked"}
    odd_landing.run("insert into {} values ('u', 143, 20.005, 'mug', 9, null, 1, 8)")
    assert [row["state"] for row in steps.verify(control, odd_landing.path)] == ["verified"]
