"""An attempt without an answer is in doubt until a read decides; it is never sent again on a guess."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from connectors.control import Control
from connectors.control.store import utc_now
from connectors.control.tables import attempt, intent
from connectors.writeback.actor import current_actor
from connectors.writeback.ledger import move_intent
from connectors.writeback.mapping import Mapping
from connectors.writeback.target import Answer, Target


def resolve(control: Control, mapping: Mapping, target: Target) -> list[int]:
    """Settle what earlier runs left open; returns the ids of the intents still in doubt.

    Every SENT whose request deadline has passed is in doubt: whoever sent it is gone. Then one read per doubt: the
    record holds our values at a newer version -> acked with that version; it still has the version we wrote against
    and the settle window is over -> approved again (the same precondition makes a late arrival harmless); it moved to
    something else -> stale, to be planned anew.
    """
    actor = current_actor()
    now = utc_now()
    with control.transaction() as connection:
        sent = connection.execute(select(intent).where(intent.c.state == "sent")).mappings().all()
        for row in sent:
            deadline = connection.execute(
                select(func.max(attempt.c.deadline_utc)).where(attempt.c.intent_id == row["id"])
            ).scalar()
            if deadline is None or deadline < now:
                move_intent(connection, row["id"], "sent", "in_doubt", actor, "no answer was recorded")
        doubts = connection.execute(select(intent).where(intent.c.state == "in_doubt")).mappings().all()
        last_sent = {
            row["id"]: connection.execute(
                select(func.max(attempt.c.sent_utc)).where(attempt.c.intent_id == row["id"])
            ).scalar()
            for row in doubts
        }
    unsettled = []
    for row in doubts:
        answer = target.read(row["entity"], row["key"])  # outside any transaction
        sent_at = last_sent[row["id"]]
        settled = sent_at is None or now > sent_at + timedelta(seconds=target.timeout_s)
        state, detail, version = _decide(mapping, row, answer, settled)
        if state is None:
            unsettled.append(row["id"])
            continue
        with control.transaction() as connection:
            values = {"returned_version": version} if version else {}
            move_intent(connection, row["id"], "in_doubt", state, actor, detail, **values)
    return unsettled


def _decide(mapping: Mapping, row: Any, answer: Answer, settled: bool) -> tuple[str | None, str, str | None]:
    """(next state or None, why, version returned by the target)."""
    if answer.kind == "rejected":
        return "rejected", "the record is gone from the target", None
    if answer.kind != "acked" or answer.values is None:
        return None, "", None
    rules = mapping.entity(row["entity"]).fields
    wanted = json.loads(row["fields"])
    ours = all(rules[name].canonical(answer.values.get(name)) == value for name, value in wanted.items())
    if answer.version != row["precondition"]:
        if ours:
            return "acked", "a read found our values in the target", answer.version
        return "stale", f"the record moved to version {answer.version} without our values", None
    if not settled:
        return None, "", None
    return "approved", "a read found that the write had no effect", None
