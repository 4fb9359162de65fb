"""On a ledger that was altered nothing is decided and nothing sent, and the commands that read still read."""

from types import SimpleNamespace

import pytest
from sqlalchemy import delete, select, update

from connectors.config_model import Write
from connectors.control.tables import transition
from connectors.writeback.errors import Refused
from orchestration import writes
from orchestration.settings import Settings
from tests.writeback import steps


def rewrite_an_actor(connection):
    connection.execute(update(transition).where(transition.c.id == 1).values(actor="somebody else"))


def cut_a_row_out(connection):
    middle = connection.execute(select(transition.c.id).order_by(transition.c.id)).scalars().all()[1]
    connection.execute(delete(transition).where(transition.c.id == middle))


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path, systems=tmp_path)


@pytest.fixture
def system(erp):
    write = Write.model_validate(
        {"kind": "http", "base_url": erp.url, "token": "token", "timeout": "2s", "entities": ["item"]}
    )
    return SimpleNamespace(system="erp", write=write)


@pytest.mark.parametrize("alter", [rewrite_an_actor, cut_a_row_out])
def test_every_command_that_decides_stops_and_sends_nothing(control, landed, erp, settings, system, alter):
    steps.correct(control, landed.path, "21.50")
    plan_hash = steps.approved_plan(control, landed.path)
    with control.transaction() as connection:
        alter(connection)
    for command in (
        lambda: writes.correct(settings, system, "item", "142", {"unit_price": "21.60"}, "again"),
        lambda: writes.plan(settings, system),
        lambda: writes.approve(settings, plan_hash),
        lambda: writes.apply(settings, system, plan_hash),
        lambda: writes.push_approved(settings, system),
    ):
        with pytest.raises(Refused, match="ledger was altered: transition"):
            command()
    assert erp.requests == 0 and len(writes.writes(settings)) == 1


def test_a_whole_ledger_stops_nothing(control, landed, erp, settings, system):
    steps.correct(control, landed.path, "21.50")
    steps.approved_plan(control, landed.path)
    assert writes.push_approved(settings, system) == {"plans": 1, "acked": 1}


def test_a_refused_plan_holds_up_no_other(control, landed, erp, settings, system, monkeypatch):
    steps.correct(control, landed.path, "21.50")
    good = steps.approved_plan(control, landed.path)
    monkeypatch.setattr(writes, "waiting", lambda *_: ["0123456789", good])
    assert writes.push_approved(settings, system) == {"plans": 2, "refused": 1, "acked": 1}
