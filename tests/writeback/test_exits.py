"""No state of a write is without an exit: it ends by itself, or a person ends it, with a reason."""

import pytest

from connectors.writeback import abandon, release
from connectors.writeback.chain import check_chain
from connectors.writeback.errors import Refused
from connectors.writeback.ledger import writes
from tests.writeback import steps


def left(control, landed, erp, *behave: str, readable: bool = True) -> int:
    """A write of 21.50 that the target answered like that; its id."""
    steps.correct(control, landed.path, "21.50")
    erp.behave, erp.readable = list(behave), readable
    (row,) = steps.apply(control, erp.url, steps.approved_plan(control, landed.path), timeout_s=60)
    erp.behave, erp.readable = [], True
    return row["id"]


def again(control, landed, erp) -> str:
    return steps.apply(control, erp.url, steps.approved_plan(control, landed.path))[0]["state"]


@pytest.mark.parametrize("behave", [["refuse_401"], ["refuse_412"]])
def test_what_was_refused_is_planned_anew_when_the_cause_is_mended(control, landed, erp, behave):
    left(control, landed, erp, *behave)
    assert again(control, landed, erp) == "acked" and erp.applied == ["21.50"]


@pytest.mark.parametrize(
    ("behave", "state"), [(["die_before"], "in_doubt"), (["throttle"] * 5, "throttled"), (["ok"], "acked")]
)
def test_a_write_that_nothing_ends_is_released_and_planned_anew(control, landed, erp, behave, state, at):
    number = left(control, landed, erp, *behave)
    assert writes(control)[0]["state"] == state
    if state == "in_doubt":
        with pytest.raises(Refused, match="may still arrive"):
            release(control, number, "the log will never show it")
        at(seconds=61)
    assert release(control, number, "the log will never show it")["state"] == "released"
    landed.see()
    planned = steps.plan(control, landed.path)
    if state == "acked":  # it had taken effect: there is nothing left to write
        assert planned["changes"] == []
    else:
        assert planned["changes"][0]["action"] == "write"
        assert again(control, landed, erp) == "acked" and erp.applied == ["21.50"]
    assert check_chain(control) is None


def test_an_abandoned_write_is_not_planned_again(control, landed, erp, mapping):
    number = left(control, landed, erp, "refuse_422")
    assert abandon(control, mapping, number, "the ERP is right")["state"] == "abandoned"
    assert steps.plan(control, landed.path)["changes"] == []
    assert [row["state"] for row in writes(control)] == ["abandoned"]


def test_who_corrected_a_guarded_field_does_not_abandon_it(control, landed, erp, mapping):
    number = left(control, landed, erp, "refuse_422")
    mapping.entities["item"].fields["unit_price"].four_eyes = True
    with pytest.raises(Refused, match="needs a second person"):
        abandon(control, mapping, number, "never mind")
    assert writes(control)[-1]["state"] == "rejected"


def test_what_cannot_be_ended_is_refused_in_words(control, landed, erp, mapping):
    number = left(control, landed, erp)
    landed.see()
    steps.verify(control, landed.path)
    for wrong in (lambda: release(control, number, "why"), lambda: abandon(control, mapping, number, "why")):
        with pytest.raises(Refused, match="verified"):
            wrong()
    with pytest.raises(Refused, match="no write 99"):
        release(control, 99, "why")
    with pytest.raises(Refused, match="reason"):
        release(control, number, " ")
