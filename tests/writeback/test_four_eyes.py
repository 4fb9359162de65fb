"""Where a field asks for a second person, the approver neither asked for the value nor made the plan."""

import sys

import pytest

from connectors import writeback
from connectors.writeback.errors import Refused
from connectors.writeback.observed import open_observed

MODULES = ("correct", "plan", "approve", "apply")


@pytest.fixture
def mapping(mapping):
    item = mapping.entities["item"]
    price = item.fields["unit_price"].model_copy(update={"four_eyes": True})
    guarded = item.model_copy(update={"fields": item.fields | {"unit_price": price}})
    return mapping.model_copy(update={"entities": mapping.entities | {"item": guarded}})


class Desk:
    """Who does what; every step is taken by the person it names."""

    def __init__(self, control, landed, mapping, monkeypatch):
        self.control, self.landed, self.mapping, self.monkeypatch = control, landed, mapping, monkeypatch

    def _as(self, person):
        for name in MODULES:
            module = sys.modules[f"connectors.writeback.{name}"]  # the package shows the function of that name
            self.monkeypatch.setattr(module, "current_actor", lambda: person)

    def correct(self, person, price):
        self._as(person)
        with open_observed(self.landed.path, "erp", self.mapping) as observed:
            wish = {"unit_price": price}
            writeback.correct(self.control, self.mapping, observed, "erp", "item", "142", wish, "price list 7")

    def plan(self, person):
        self._as(person)
        with open_observed(self.landed.path, "erp", self.mapping) as observed:
            return writeback.plan(self.control, self.mapping, observed, "erp")["hash"]

    def approve(self, person, plan_hash):
        self._as(person)
        return writeback.approve(self.control, self.mapping, plan_hash)["state"]


@pytest.fixture
def desk(control, landed, mapping, monkeypatch):
    return Desk(control, landed, mapping, monkeypatch)


def test_a_third_person_approves_what_one_asked_for_and_another_planned(desk):
    desk.correct("ann", "21.50")
    assert desk.approve("cy", desk.plan("bob")) == "approved"


@pytest.mark.parametrize(("approver", "did"), [("ann", "corrected"), ("bob", "planned")])
def test_neither_the_corrector_nor_the_planner_approves(desk, approver, did):
    desk.correct("ann", "21.50")
    plan_hash = desk.plan("bob")
    with pytest.raises(Refused, match=f"needs a second person: {approver} {did} it"):
        desk.approve(approver, plan_hash)


def test_whoever_asked_for_the_value_does_not_approve_it_after_somebody_else_replaced_the_wish(desk):
    desk.correct("ann", "21.50")
    old = desk.plan("bob")
    desk.correct("dan", "22.00")
    with pytest.raises(Refused, match="ann corrected it"):
        desk.approve("ann", old)


def test_whoever_asked_for_the_value_once_does_not_approve_it_when_another_asks_for_it_again(desk):
    for person, price in (("ann", "21.50"), ("dan", "22.00"), ("dan", "21.50")):
        desk.correct(person, price)
    with pytest.raises(Refused, match="ann corrected it"):
        desk.approve("ann", desk.plan("bob"))


def test_another_value_of_ones_own_in_the_past_is_no_bar(desk):
    for person, price in (("cy", "20.50"), ("ann", "21.50")):
        desk.correct(person, price)
    assert desk.approve("cy", desk.plan("bob")) == "approved"
