"""Nothing is sent on an approval that has expired, was taken back, or was given to something else."""

import sqlite3

import pytest

from connectors.writeback.errors import Refused, TargetUnavailable
from connectors.writeback.ledger import writes
from connectors.writeback.restored import accept, withdraw
from connectors.writeback.target import Answer, HttpTarget
from orchestration import writes as commands
from tests.writeback import steps

NOWHERE = "http://127.0.0.1:9"


def test_an_approval_that_expired_while_the_target_was_down_sends_nothing(
    control, landed, erp, settings, system, approved, at
):
    with pytest.raises(TargetUnavailable):
        steps.apply(control, NOWHERE, approved)
    at(days=2)
    assert commands.push_approved(settings, system) == {"plans": 1, "stale": 1}
    assert writes(control)[-1]["detail"] == "its approval has expired" and erp.requests == 0
    assert steps.apply(control, erp.url, steps.approved_plan(control, landed.path))[0]["state"] == "acked"


def test_an_approval_from_a_clock_that_was_ahead_sends_nothing(control, landed, erp, at):
    at(days=3650)
    plan_hash = steps.wanted(control, landed.path)
    at()
    row = steps.apply(control, erp.url, plan_hash)[0]
    assert row["state"] == "stale" and "clock was ahead" in row["detail"] and erp.requests == 0
    at(minutes=4)  # another host's clock
    plan_hash = steps.approved_plan(control, landed.path)
    at()
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "acked"


@pytest.mark.parametrize("how", ["restored", "accepted"])
@pytest.mark.parametrize("behave", ["die_before", "die_after"])
def test_a_doubt_whose_approval_was_taken_back_is_settled_and_not_sent_again(
    control, landed, erp, tmp_path, approved, at, how, behave
):
    erp.behave = [behave]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(HttpTarget, "read", lambda *_: Answer("in_doubt", 503))
        patched.setattr("connectors.writeback.sending.compared", lambda *_: ("send", ""))
        assert steps.apply(control, erp.url, approved, timeout_s=60)[0]["state"] == "in_doubt"
    if how == "restored":
        assert withdraw(control) == 1
    else:
        with sqlite3.connect(tmp_path / "control.sqlite") as connection:
            connection.execute("update correction set reason = 'x'")
        assert accept(control, "somebody touched it")[1] == 1
    at(hours=1)
    sent = erp.requests
    with pytest.raises(Refused, match="its approval was taken back"):
        steps.apply(control, erp.url, approved)
    assert writes(control)[-1]["state"] == ("acked" if behave == "die_after" else "stale") and erp.requests == sent
    if behave == "die_before":
        assert steps.apply(control, erp.url, steps.approved_plan(control, landed.path))[0]["state"] == "acked"


@pytest.mark.parametrize("change", ['fields = \'{"unit_price":"29.99"}\'', "precondition = '8'"])
def test_a_write_that_is_altered_during_the_look_is_not_sent(control, erp, approved, tmp_path, monkeypatch, change):
    read = HttpTarget.read

    def altered(*given):
        with sqlite3.connect(tmp_path / "control.sqlite") as connection:
            connection.execute(f"update intent set {change}")  # noqa: S608
        return read(*given)

    monkeypatch.setattr(HttpTarget, "read", altered)
    with pytest.raises(Refused, match="was altered; nothing was sent"):
        steps.apply(control, erp.url, approved)
    assert erp.requests == 0
