"""What the target is decides the outcome of a write, whatever it answered; a person's edit is never written over."""

import sqlite3

import pytest
from sqlalchemy import update

from connectors.control import store
from connectors.control.store import utc_now
from connectors.control.tables import attempt
from connectors.model import TransientError
from connectors.writeback.chain import check_chain
from connectors.writeback.errors import Refused
from connectors.writeback.ledger import writes
from connectors.writeback.target import HttpTarget
from orchestration import writes as commands
from orchestration.writes import waiting
from tests.writeback import steps

ODD = [202, 302, 401, 404, 408, 409, 412, 418, 422, 429, 500, 503]


def wanted(control, landed, price: str = "21.50") -> str:
    steps.correct(control, landed.path, price)
    return steps.approved_plan(control, landed.path)


@pytest.mark.parametrize("status", ODD)
def test_a_write_that_took_effect_is_acknowledged_whatever_was_answered(control, landed, erp, status):
    plan_hash = wanted(control, landed)
    erp.behave = [f"effect_{status}"]
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "acked"
    landed.see()
    assert [row["state"] for row in steps.verify(control, landed.path)] == ["verified"]
    assert erp.applied == ["21.50"] and check_chain(control) is None


@pytest.mark.parametrize(
    ("status", "state"), [(401, "rejected"), (404, "rejected"), (409, "rejected"), (422, "rejected"), (412, "stale")]
)
def test_a_refusal_without_effect_is_a_refusal(control, landed, erp, status, state):
    plan_hash = wanted(control, landed)
    erp.behave = [f"refuse_{status}"]
    row = steps.apply(control, erp.url, plan_hash)[0]
    assert row["state"] == state and str(status) in row["detail"]
    steps.apply(control, erp.url, plan_hash)
    assert erp.applied == [] and erp.requests == 1


@pytest.mark.parametrize("behave", ["die_before", "refuse_202", "refuse_302", "refuse_408"])
def test_a_write_that_may_still_arrive_is_not_sent_again_before_the_settle_window_is_over(control, landed, erp, behave):
    plan_hash = wanted(control, landed)
    erp.behave = [behave]
    for _ in range(3):
        assert steps.apply(control, erp.url, plan_hash, timeout_s=60)[0]["state"] == "in_doubt"
    assert erp.requests == 1


def test_an_edit_that_does_not_raise_the_version_is_not_written_over(control, landed, erp):
    plan_hash = wanted(control, landed)
    erp.price = "19.00"
    row = steps.apply(control, erp.url, plan_hash)[0]
    assert row["state"] == "stale" and "19.00" in row["detail"]
    assert erp.price == "19.00" and erp.requests == 0


def test_an_edit_that_has_landed_counts_where_the_target_cannot_be_read(control, landed, erp):
    plan_hash = wanted(control, landed)
    erp.price, erp.readable = "19.00", False
    landed.see()
    with steps.open_observed(landed.path, "erp", steps.MAPPING) as observed:
        assert steps.apply(control, erp.url, plan_hash, newest=observed.newest)[0]["state"] == "stale"
    assert erp.requests == 0


def test_a_correction_that_was_replaced_after_approval_is_not_sent(control, landed, erp):
    plan_hash = wanted(control, landed)
    steps.correct(control, landed.path, "22.00")
    with pytest.raises(Refused, match="was replaced"):
        steps.apply(control, erp.url, plan_hash)
    assert erp.requests == 0
    assert steps.apply(control, erp.url, steps.approved_plan(control, landed.path))[0]["state"] == "acked"
    assert erp.applied == ["22.00"]


def test_a_correction_that_was_replaced_while_its_write_was_throttled_is_not_sent(control, landed, erp):
    plan_hash = wanted(control, landed)
    erp.behave = ["throttle"] * 5
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "throttled"
    steps.correct(control, landed.path, "22.00")
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "stale"
    assert erp.applied == []


def test_a_header_of_any_name_authenticates_a_write(control, landed, erp):
    plan_hash = wanted(control, landed)
    assert steps.apply(control, erp.url, plan_hash, headers={"X-Api-Key": "secret"})[0]["state"] == "acked"
    assert erp.headers["x-api-key"] == "secret" and "authorization" not in erp.headers


def test_a_request_that_cannot_be_made_leaves_the_write_approved_and_shows_no_secret(control, landed, erp):
    plan_hash = wanted(control, landed)
    with pytest.raises(Refused, match="cannot be made") as refused:
        steps.apply(control, erp.url, plan_hash, headers={"X-Api-Key": "sec\nret"})
    assert "sec" not in str(refused.value).replace("see", "") and writes(control)[0]["state"] == "approved"


def test_a_retired_plan_waits_for_nothing(control, landed, erp, tmp_path):
    from orchestration.settings import Settings

    plan_hash = wanted(control, landed)
    settings = Settings(home=tmp_path, systems=tmp_path)
    assert waiting(settings) == [plan_hash]
    steps.correct(control, landed.path, "22.00")
    with pytest.raises(Refused):
        steps.apply(control, erp.url, plan_hash)
    assert waiting(settings) == []


def test_an_answer_that_cannot_be_recorded_is_said_so_and_settled_by_reading(
    control, erp, settings, system, approved, tmp_path, monkeypatch
):
    monkeypatch.setattr(store, "WAIT_S", 0.2)
    writer = sqlite3.connect(tmp_path / "control.sqlite", isolation_level=None, check_same_thread=False)
    patched = HttpTarget.patch

    def lock_after(target, *given):
        answer = patched(target, *given)
        writer.execute("begin immediate")
        return answer

    monkeypatch.setattr(HttpTarget, "patch", lock_after)
    with pytest.raises(TransientError, match="Write 1 was sent, .* stays locked .* settles it by reading"):
        commands.apply(settings, system, approved)
    writer.rollback()
    writer.close()
    with control.transaction() as connection:
        connection.execute(update(attempt).values(deadline_utc=utc_now()))  # attempts are not in the chain
    assert commands.apply(settings, system, approved)[0]["state"] == "acked" and erp.applied == ["21.50"]
