"""What the write contract does not have any more stops nothing else, and a person can still end it."""

import pytest
from typer.testing import CliRunner

from connectors.writeback import abandon, abandon_correction, mapping
from connectors.writeback.chain import check_chain
from connectors.writeback.errors import Refused
from connectors.writeback.ledger import writes
from connectors.writeback.mapping import load_mapping
from orchestration import writes as commands
from orchestration.cli.app import app
from tests.writeback import steps

GONE = "the write contract has no item unit_price any more"


def without(what: str):
    found = load_mapping()
    if what == "the field":
        del found.entities["item"].fields["unit_price"]
    else:
        found.entities = {"product": found.entities["item"]}
    return found


@pytest.fixture(params=["the field", "the entity"])
def less(request, monkeypatch):
    """The contract, from the call on without the field or the entity."""

    def lessen():
        found = without(request.param)
        monkeypatch.setattr(mapping, "load_mapping", lambda: found)
        return found

    return lessen


def test_an_acknowledged_write_is_left_and_its_correction_is_blocked(control, landed, settings, system, approved, less):
    commands.apply(settings, system, approved)
    less()
    landed.see()
    assert commands.verify(settings, system) == []
    change = commands.plan(settings, system)["changes"][0]
    assert (change["action"], change["reason"]) == ("blocked", GONE)


def test_a_doubt_is_left_and_a_person_ends_it(control, erp, settings, system, approved, less, at):
    erp.behave = ["die_before"]
    steps.apply(control, erp.url, approved, timeout_s=60)
    found = less()
    at(hours=1)
    assert commands.push_approved(settings, system) == {"plans": 1, "in_doubt": 1}
    assert abandon(control, found, 1, "the field is gone")["state"] == "abandoned"
    assert commands.plan(settings, system)["changes"] == [] and check_chain(control) is None


def test_a_write_that_was_not_sent_yet_is_stale(control, erp, settings, system, approved, less):
    less()
    row = commands.apply(settings, system, approved)[0]
    assert (row["state"], row["detail"]) == ("stale", GONE) and erp.requests == 0


def test_other_fields_go_on(control, landed, erp, settings, system, approved, monkeypatch):
    landed.run("insert into {} values ('u', 143, 20.00, 'mug', 7, null, 1, 7)")
    monkeypatch.setattr(mapping, "load_mapping", lambda: without("the field"))
    commands.correct(settings, system, "item", "143", {"lead_time_days": "9"}, "a list")
    actions = {change["key"]: change["action"] for change in commands.plan(settings, system)["changes"]}
    assert actions == {"142": "blocked", "143": "write"}


def test_a_correction_of_a_record_that_is_gone_is_abandoned_alone(control, landed, mapping, settings, monkeypatch):
    steps.correct(control, landed.path, "21.50")
    landed.run("delete from {}")
    assert "deleted in the target" in steps.plan(control, landed.path)["changes"][0]["reason"]
    number = writes(control)[0]["correction"]
    monkeypatch.setenv("CROSSDOCK_HOME", str(settings.home))
    for wrong in ([], ["1", "--correction", "1"]):
        assert CliRunner().invoke(app, ["writes", "abandon", *wrong, "--reason", "gone"]).exit_code != 0
    said = CliRunner().invoke(app, ["writes", "abandon", "--correction", str(number), "--reason", "gone"])
    assert said.exit_code == 0, said.output
    assert writes(control) == [] and check_chain(control) is None
    with pytest.raises(Refused, match="no open correction"):
        abandon_correction(control, mapping, number, "gone")


def test_a_correction_alone_is_abandoned_under_the_same_rules(control, landed, erp, mapping):
    steps.apply(control, erp.url, steps.wanted(control, landed.path))
    with pytest.raises(Refused, match="write 1 of this record is open"):
        abandon_correction(control, mapping, 1, "why")
    steps.correct_fields(control, landed.path, lead_time_days="9")
    landed.see()
    steps.verify(control, landed.path)
    mapping.entities["item"].fields["lead_time_days"].four_eyes = True
    with pytest.raises(Refused, match="needs a second person"):
        abandon_correction(control, mapping, 2, "why")
    with pytest.raises(Refused, match="reason"):
        abandon_correction(control, mapping, 2, " ")
