"""A ledger put back, or taken as it stands, does not know what was sent since: nothing in it is sent without a new
approval."""

from sqlalchemy import Connection, and_, or_, select, update

from connectors.control import Control
from connectors.control.keeping import NoKey
from connectors.control.tables import intent, plan
from connectors.writeback.actor import current_actor
from connectors.writeback.chain import append, check_chain, seal, settle
from connectors.writeback.errors import Refused
from connectors.writeback.ledger import move_intent

WHY = "restored from a backup: it may have been sent since"
UNSENT = ("approved", "throttled")


def withdraw(control: Control) -> int:
    """Takes back every approval that has not been used up; returns how many plans and writes that were.

    Their corrections stay open, so that `plan` compares them anew with what the target has now. What was sent, or is in
    doubt, is settled by reading, and not sent again either where it had no effect.
    """
    with control.transaction() as connection:
        return _withdrawn(connection, current_actor(), WHY)


def accept(control: Control, reason: str, why: str | None = None) -> tuple[str, int]:
    """Goes on with a ledger that does not fit, as it stands: sealed with the reason, the fault and who said so, and its
    approvals taken back; returns the fault and how many those were.

    `why` is a fault that the ledger itself does not show, as that its file was missing. Raises Refused when there is
    none, or no reason.
    """
    if not reason.strip():
        raise Refused("this needs a reason: --reason TEXT")
    try:
        found = why or check_chain(control)
    except NoKey as error:
        found = str(error)
    if found is None:
        raise Refused("the ledger is whole; there is nothing to accept")
    actor, key = current_actor(), control.keeping.key(make=True)
    with control.transaction() as connection:
        seal(connection, key, actor, "accepted", f"{reason} ({found})")
        withdrawn = _withdrawn(connection, actor, "the ledger was accepted as it stood: it may have been sent since")
    settle(control, actor)
    return found, withdrawn


def _withdrawn(connection: Connection, actor: str, why: str) -> int:
    unsettled = select(intent.c.plan_hash).where(intent.c.state.in_(["sent", "in_doubt"]))
    usable = or_(plan.c.state == "approved", and_(plan.c.state == "applied", plan.c.hash.in_(unsettled)))
    plans = connection.execute(select(plan.c.hash, plan.c.state).where(usable)).all()
    for found in plans:
        connection.execute(update(plan).where(plan.c.hash == found.hash).values(state="superseded"))
        append(connection, f"plan {found.hash[:12]}", found.state, "superseded", actor, why)
    unsent = connection.execute(select(intent.c.id, intent.c.state).where(intent.c.state.in_(UNSENT))).all()
    for row in unsent:
        move_intent(connection, row.id, row.state, "released", actor, why)
    return len(plans) + len(unsent)
