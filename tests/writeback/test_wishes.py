"""A wish is what a person asked for, looking at what they saw: nothing from before it closes or overrules it."""

from sqlalchemy import select

from connectors.control.tables import correction
from tests.writeback import steps
from tests.writeback.steps import wanted


def wishes(control) -> list[tuple]:
    with control.transaction() as connection:
        rows = connection.execute(select(correction.c.desired, correction.c.state).order_by(correction.c.id))
        return [tuple(row) for row in rows]


def test_wishing_the_old_value_back_while_its_write_has_not_landed_is_not_lost(control, landed, erp):
    steps.apply(control, erp.url, wanted(control, landed.path))
    steps.correct(control, landed.path, "20.00")  # which is what has landed, and no longer what is there
    change = steps.plan(control, landed.path)["changes"][0]
    assert change["action"] == "blocked" and "write 1 of this record is acked" in change["reason"]
    landed.see()
    steps.verify(control, landed.path)
    assert steps.apply(control, erp.url, steps.approved_plan(control, landed.path))[0]["state"] == "acked"
    assert erp.price == "20.00"


def test_wishing_the_old_value_back_while_its_write_is_in_doubt_is_not_lost(control, landed, erp):
    plan_hash = wanted(control, landed.path)
    erp.behave = ["die_before"]
    steps.apply(control, erp.url, plan_hash, timeout_s=60)
    steps.correct(control, landed.path, "20.00")
    assert "in_doubt" in steps.plan(control, landed.path)["changes"][0]["reason"]
    erp.edit("21.50")  # the request arrives late
    assert steps.apply(control, erp.url, plan_hash)[0]["state"] == "acked"
    landed.see()
    steps.verify(control, landed.path)
    assert steps.plan(control, landed.path)["changes"][0]["action"] == "write"
    assert wishes(control) == [("21.50", "superseded"), ("20.00", "open")]


def test_a_wish_made_after_a_write_was_sent_is_not_closed_by_it(control, landed, erp):
    steps.apply(control, erp.url, wanted(control, landed.path))
    landed.see()
    steps.correct(control, landed.path, "23.00")  # the older wish is replaced
    erp.edit("19.00")  # a person; what came of the write was not looked at yet
    landed.see()
    steps.correct(control, landed.path, "21.50")  # the steward sees 19.00, and insists
    assert [row["state"] for row in steps.verify(control, landed.path)] == ["verified"]
    assert wishes(control)[-1] == ("21.50", "open")
    assert steps.plan(control, landed.path)["changes"][0]["action"] == "write"


def test_an_edit_back_to_what_was_verified_before_the_wish_is_news(control, landed, erp):
    steps.apply(control, erp.url, wanted(control, landed.path))
    landed.see()
    steps.verify(control, landed.path)
    erp.edit("19.00")
    landed.see()
    steps.correct(control, landed.path, "22.00")  # decided looking at 19.00
    erp.edit("21.50")
    landed.see()
    change = steps.plan(control, landed.path)["changes"][0]
    assert change["action"] == "blocked" and "changed in the target to 21.50" in change["reason"]
