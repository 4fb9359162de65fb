"""A ledger put back from a backup does not know what was sent since: nothing in it is sent without a new approval."""

from collections.abc import Sequence

from sqlalchemy import select, update

from connectors.control import Control
from connectors.control.tables import intent, plan
from connectors.writeback.actor import current_actor
from connectors.writeback.ledger import log, move_intent

WHY = "restored from a backup: it may have been sent since"
UNSENT = ("approved", "throttled")


def withdraw(control: Control) -> int:
    """Takes back every approval that has not been used up; returns how many plans and writes that were.

    Their corrections stay open, so that `plan` compares them anew with what the target has now. What was sent, or is in
    doubt, stays: it is settled by reading, never by sending.
    """
    actor = current_actor()
    with control.transaction() as connection:
        plans: Sequence[str] = connection.execute(select(plan.c.hash).where(plan.c.state == "approved")).scalars().all()
        for found in plans:
            connection.execute(update(plan).where(plan.c.hash == found).values(state="superseded"))
            log(connection, f"plan {found[:12]}", "approved", "superseded", actor, WHY)
        unsent = connection.execute(select(intent.c.id, intent.c.state).where(intent.c.state.in_(UNSENT))).all()
        for row in unsent:
            move_intent(connection, row.id, row.state, "released", actor, WHY)
    return len(plans) + len(unsent)
