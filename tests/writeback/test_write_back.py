"""A write-back takes effect once, or waits with a reason."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from connectors.control.store import utc_now
from connectors.control.tables import plan as plan_table
from connectors.control.tables import transition
from connectors.writeback.chain import check_chain
from connectors.writeback.errors import Refused, TargetUnavailable
from connectors.writeback.ledger import writes
from tests.writeback import steps

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Moves the clock past the deadline and the settle window of every request so far."""
    return lambda: monkeypatch.setattr("connectors.writeback.resolve.utc_now", lambda: utc_now() + timedelta(hours=1))


def test_an_approved_correction_reaches_the_target_and_is_verified_when_it_returns(control, landed, erp):
    steps.correct(control, landed.path, "21.50")
    plan_hash = steps.approved_plan(control, landed.path)
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "acked"
    assert steps.verify(control, landed.path) == []  # not seen yet: acknowledged is not verified
    landed.see()
    assert [row["state"] for row in steps.verify(control, landed.path)] == ["verified"]
    assert erp.applied == ["21.50"]
    assert steps.plan(control, landed.path)["changes"] == []
    assert check_chain(control) is None


def test_applying_twice_writes_once(control, landed, erp):
    steps.correct(control, landed.path, "21.50")
    plan_hash = steps.approved_plan(control, landed.path)
    steps.apply(control, erp.url, plan_hash)
    steps.apply(control, erp.url, plan_hash)
    assert erp.applied == ["21.50"] and erp.requests == 1


def test_a_plan_that_was_not_approved_is_refused(control, landed, erp):
    steps.correct(control, landed.path, "21.50")
    with pytest.raises(Refused, match="not approved"):
        steps.apply(control, erp.url, steps.plan(control, landed.path)["hash"])
    assert erp.requests == 0


def test_the_same_facts_give_the_same_hash_and_another_value_another_one(control, landed):
    steps.correct(control, landed.path, "21.50")
    first = steps.plan(control, landed.path)["hash"]
    assert steps.plan(control, landed.path)["hash"] == first
    steps.correct(control, landed.path, "21.51")
    assert steps.plan(control, landed.path)["hash"] != first


def test_an_approval_of_a_superseded_plan_is_refused(control, landed, erp):
    steps.correct(control, landed.path, "21.50")
    old = steps.approved_plan(control, landed.path)
    steps.correct(control, landed.path, "22.00")
    steps.plan(control, landed.path)
    with pytest.raises(Refused, match="newer plan"):
        steps.apply(control, erp.url, old)


def test_a_plan_altered_by_one_cent_is_refused(control, landed, erp):
    steps.correct(control, landed.path, "21.50")
    plan_hash = steps.approved_plan(control, landed.path)
    with control.transaction() as connection:
        body = connection.execute(plan_table.select()).mappings().one()["body"]
        connection.execute(update(plan_table).values(body=body.replace("21.50", "21.51")))
    with pytest.raises(Refused, match="altered"):
        steps.apply(control, erp.url, plan_hash)


def test_a_persons_edit_between_plan_and_apply_is_never_overwritten(control, landed, erp):
    steps.correct(control, landed.path, "21.50")
    plan_hash = steps.approved_plan(control, landed.path)
    erp.edit("19.00")
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "stale"
    assert erp.price == "19.00" and erp.applied == []
    landed.see()
    change = steps.plan(control, landed.path)["changes"][0]
    assert change["action"] == "blocked" and "19.00" in change["reason"]
    steps.correct(control, landed.path, "21.50")  # the steward saw it and insists
    assert steps.apply(control, erp.url, steps.approved_plan(control, landed.path))[0]["state"] == "acked"


@pytest.mark.parametrize(("behave", "sends"), [("die_after", 1), ("die_before", 2)])
def test_an_unanswered_write_is_in_doubt_until_a_read_decides(control, landed, erp, behave, sends, later):
    steps.correct(control, landed.path, "21.50")
    plan_hash = steps.approved_plan(control, landed.path)
    erp.behave = [behave]

    def blind(phase: str) -> None:
        erp.readable = phase == "durable"

    assert steps.apply(control, erp.url, plan_hash, on_phase=blind)[0]["state"] == "in_doubt"
    assert "in_doubt" in steps.plan(control, landed.path)["changes"][0]["reason"]
    later()
    erp.readable = True
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "acked"
    assert erp.applied == ["21.50"] and erp.requests == sends


def test_a_write_without_effect_that_is_planned_anew_is_over_once_the_later_plan_is_applied(control, landed, erp):
    steps.correct(control, landed.path, "21.50")
    first = steps.approved_plan(control, landed.path)
    with pytest.raises(TargetUnavailable):
        steps.apply(control, "http://127.0.0.1:9", first)
    erp.edit(erp.price)  # another field of the record: its version moves
    landed.see()
    steps.apply(control, erp.url, steps.approved_plan(control, landed.path))
    newest, older = writes(control)
    assert (newest["state"], older["state"]) == ("acked", "stale")
    assert older["detail"] == f"write {newest['id']}, planned later, took its place"


def test_a_throttled_write_waits_and_goes_through(control, landed, erp):
    steps.correct(control, landed.path, "21.50")
    erp.behave = ["throttle", "throttle"]
    assert steps.apply(control, erp.url, steps.approved_plan(control, landed.path))[0]["state"] == "acked"
    assert erp.requests == 3 and erp.applied == ["21.50"]


def test_a_target_that_is_down_leaves_the_write_approved(control, landed):
    steps.correct(control, landed.path, "21.50")
    plan_hash = steps.approved_plan(control, landed.path)
    with pytest.raises(TargetUnavailable):
        steps.apply(control, "http://127.0.0.1:9", plan_hash)
    assert writes(control)[0]["state"] == "approved"


@pytest.mark.parametrize(
    ("die_at", "behave"),
    [("durable", "ok"), ("during", "gone_before"), ("during", "gone_after"), ("answered", "ok"), ("recorded", "ok")],
)
def test_killing_it_before_during_or_after_the_call_neither_loses_nor_repeats_the_write(
    control, landed, erp, tmp_path, die_at, behave, later
):
    erp.behave = [behave]
    steps.correct(control, landed.path, "21.50")
    plan_hash = steps.approved_plan(control, landed.path)
    command = [
        sys.executable,
        "-m",
        "tests.writeback.steps",
        str(tmp_path / "control.sqlite"),
        erp.url,
        plan_hash,
        die_at,
    ]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60)
    assert killed.returncode == -9, killed.stderr.decode()
    later()
    for _ in range(3):
        steps.apply(control, erp.url, plan_hash)
    landed.see()
    steps.verify(control, landed.path)
    assert erp.applied == ["21.50"]
    assert [row["state"] for row in writes(control)] == ["verified"]


def test_a_price_that_moves_by_more_than_half_is_blocked(control, landed):
    steps.correct(control, landed.path, "2000.00")
    planned = steps.plan(control, landed.path)
    assert planned["changes"][0]["action"] == "blocked" and "50%" in planned["changes"][0]["reason"]
    with pytest.raises(Refused, match="nothing to write"):
        steps.writeback.approve(control, steps.MAPPING, planned["hash"])


@pytest.mark.parametrize("price", ["dear", "21.505", "1e30", "NaN", ""])
def test_a_value_that_does_not_fit_is_refused_and_nothing_is_recorded(control, landed, price):
    with pytest.raises(Refused):
        steps.correct(control, landed.path, price)
    assert writes(control) == []


@pytest.mark.parametrize("name", ["", "  ", "half \ud83d"])
def test_a_name_that_is_blank_or_broken_is_refused(control, landed, name):
    with pytest.raises(Refused):
        steps.correct_fields(control, landed.path, stock_item_name=name)


def test_an_edited_ledger_is_noticed(control, landed):
    steps.correct(control, landed.path, "21.50")
    steps.plan(control, landed.path)
    with control.transaction() as connection:
        connection.execute(update(transition).where(transition.c.id == 1).values(actor="somebody else"))
    assert "entry 1" in (check_chain(control) or "")
