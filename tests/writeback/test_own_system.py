"""A plan, and the doubts of its writes, are of one system: nothing is sent to another one, or settled there."""

from types import SimpleNamespace

import pytest

from connectors.writeback import apply
from connectors.writeback.errors import Refused
from connectors.writeback.ledger import writes
from connectors.writeback.target import Answer
from orchestration import writes as commands
from tests.writeback import steps


class Another:
    """A target that has none of these records."""

    timeout_s = 60.0

    def read(self, entity, key):
        return Answer("rejected", 404)

    def patch(self, *given):
        raise AssertionError("it was sent")


@pytest.mark.parametrize("known", [True, False])
def test_a_doubt_is_settled_at_its_own_target(control, approved, erp, known):
    erp.behave = ["die_before"]
    assert steps.apply(control, erp.url, approved, timeout_s=60)[0]["state"] == "in_doubt"
    with pytest.raises(Refused, match="is for erp, not for crm" if known else "no plan"):
        apply(control, steps.MAPPING, Another(), approved if known else "0123456", system="crm")
    assert writes(control)[0]["state"] == "in_doubt"


def test_a_plan_of_one_system_is_not_sent_to_another(settings, system, approved):
    gone, other = SimpleNamespace(system="erp", write=None), SimpleNamespace(system="erp_prod", write=system.write)
    with pytest.raises(commands.NoTarget, match="erp, which takes no writes"):
        commands.system_of_plan(settings, [gone, other], approved)
    assert commands.system_of_plan(settings, [other, system], approved) is system
    assert commands.system_of_plan(settings, [other], "0123456") is other
