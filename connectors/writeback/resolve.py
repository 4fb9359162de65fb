"""What the target *is* decides what a write did, not what it answered: everything but a plain success is in doubt until
a read decides, and is never sent again on a guess."""

import json
from typing import Any

from sqlalchemy import select

from connectors.control import Control
from connectors.control.store import utc_now
from connectors.control.tables import intent
from connectors.writeback.actor import current_actor
from connectors.writeback.ledger import is_over, is_taken_back, last_attempt, move_intent
from connectors.writeback.mapping import Mapping
from connectors.writeback.target import Answer, Target

REFUSALS = {400, 401, 403, 404, 405, 409, 410, 411, 413, 414, 415, 422, 428, 431, 451}
"""Answers after which nothing of a request is still on its way; any other (202, 3xx, 408, 5xx, none) may take effect
yet."""
PRECONDITION_FAILED, TOO_MANY = 412, 429
SUCCESS = {200, 204}


def resolve(control: Control, mapping: Mapping, target: Target, system: str) -> list[int]:
    """Settle what earlier runs left open at `target`, which is `system`; returns the ids of those still in doubt.

    Every SENT whose request deadline has passed is in doubt: whoever sent it is gone. Then one read per doubt, see
    `settle`.
    """
    actor = current_actor()
    now = utc_now()
    with control.transaction() as connection:
        of_system = select(intent.c.id).where(intent.c.system == system)
        sent: list[int] = list(connection.execute(of_system.where(intent.c.state == "sent")).scalars())
        for number in sent:
            if is_over(last_attempt(connection, number), now):
                move_intent(connection, number, "sent", "in_doubt", actor, "no answer was recorded")
        doubts: list[int] = list(connection.execute(of_system.where(intent.c.state == "in_doubt")).scalars())
    return [number for number in doubts if settle(control, mapping, target, number, actor) == "in_doubt"]


def settle(control: Control, mapping: Mapping, target: Target, number: int, actor: str) -> str:
    """One read of the record of an intent in doubt decides; returns the state it stands in afterwards.

    Our values at a newer version: acked with that version. Another version without our values: stale, to be planned
    anew. The version we wrote against: the write had no effect, so a refusal is a refusal (rejected, stale, throttled),
    and so is a success that told this very version; any other success is one once the settle window is over. Without an
    answer it is then approved again (the same precondition makes a late arrival harmless), or stale where its approval
    was taken back. No answer to the read, or none that tells: still in doubt. So is one of a field that the contract
    does not have any more.
    """
    with control.transaction() as connection:
        row = connection.execute(select(intent).where(intent.c.id == number)).mappings().one()
        last = last_attempt(connection, number)
    if row["state"] != "in_doubt" or mapping.missing(row["entity"], json.loads(row["fields"])):
        return str(row["state"])
    answer = target.read(row["entity"], row["key"])  # outside any transaction
    state, detail, version = _decide(mapping, row, answer, last, target.timeout_s)
    if state is None:
        return "in_doubt"
    with control.transaction() as connection:
        values = {"returned_version": version} if version else {}
        if state in {"approved", "throttled"} and is_taken_back(connection, row["plan_hash"]):
            state, detail = "stale", "it had no effect, and its approval was taken back"
        move_intent(connection, number, "in_doubt", state, actor, detail, **values)
        return str(connection.execute(select(intent.c.state).where(intent.c.id == number)).scalar())


def _decide(
    mapping: Mapping, row: Any, answer: Answer, last: Any, settle_s: float
) -> tuple[str | None, str, str | None]:
    """(next state or None, why, version returned by the target)."""
    if answer.kind == "rejected":
        return "rejected", "the record is gone from the target", None
    if answer.kind != "acked" or answer.values is None:
        return None, "", None
    rules = mapping.entity(row["entity"]).fields
    wanted = json.loads(row["fields"])
    ours = all(rules[name].told(answer.values.get(name)) == value for name, value in wanted.items())
    if ours:  # also under the old version: they differed when this was planned, and not every target counts on
        return "acked", "a read found our values in the target", answer.version
    if answer.version != row["precondition"]:
        return "stale", f"the record moved to version {answer.version} without our values", None
    status = last["status"] if last is not None else None
    words = f"HTTP {status}, and a read found the record unchanged"
    if status == TOO_MANY:
        return "throttled", words, None
    if status == PRECONDITION_FAILED:
        return "stale", words, None
    if status in REFUSALS:
        return "rejected", row["detail"] or words, None
    is_plain = status in SUCCESS and row["returned_version"] == row["precondition"]
    if not is_plain and not is_over(last, utc_now(), settle_s):  # also after a success: a read may lag behind it
        return None, "", None
    if status in SUCCESS:
        return "rejected", f"HTTP {status}: it said success and changed nothing", None
    return "approved", "a read found that the write had no effect", None
