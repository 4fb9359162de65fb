"""How a person ends a write that nothing else ends: released, to be planned anew, or abandoned for good."""

import json
from typing import Any

from sqlalchemy import func, select, update

from connectors.control import Control
from connectors.control.store import utc_now
from connectors.control.tables import attempt, correction, intent
from connectors.writeback.actor import current_actor
from connectors.writeback.chain import append
from connectors.writeback.errors import Refused
from connectors.writeback.ledger import OPEN_STATES, UNFULFILLED, move_intent
from connectors.writeback.mapping import Mapping


def release(control: Control, number: int, reason: str) -> dict[str, Any]:
    """End an open write; its correction stays, and the next plan compares with what the target says by then.

    A late arrival of what was sent is harmless: it carries the version that it was planned against. Raises Refused for
    an unknown write, one that is over, one that is just being sent, or no reason.
    """
    return _end(control, number, "released", reason, OPEN_STATES, None)


def abandon(control: Control, mapping: Mapping, number: int, reason: str) -> dict[str, Any]:
    """Give up a write and the corrections behind it. Raises Refused as `release`, and where a field asks for four eyes
    and the actor is who corrected it.
    """
    return _end(control, number, "abandoned", reason, (*OPEN_STATES, *UNFULFILLED), mapping)


def _end(
    control: Control, number: int, state: str, reason: str, endable: tuple[str, ...], mapping: Mapping | None
) -> dict[str, Any]:
    if not reason.strip():
        raise Refused("this needs a reason: --reason TEXT")
    actor = current_actor()
    with control.transaction() as connection:
        row = connection.execute(select(intent).where(intent.c.id == number)).mappings().first()
        if row is None:
            raise Refused(f"there is no write {number}; `crossdock writes` lists them")
        if row["state"] not in endable:
            raise Refused(f"write {number} is {row['state']}; that ends by itself or is over")
        last = select(func.max(attempt.c.deadline_utc)).where(attempt.c.intent_id == number)
        deadline = connection.execute(last).scalar()
        if row["state"] == "sent" and deadline is not None and deadline > utc_now():
            raise Refused(f"write {number} is being sent right now; try again in a minute")
        if mapping is not None:
            _drop_corrections(connection, mapping, row, actor, reason)
        move_intent(connection, number, row["state"], state, actor, reason)
    return {"id": number, "entity": row["entity"], "key": row["key"], "state": state, "detail": reason}


def _drop_corrections(connection: Any, mapping: Mapping, row: Any, actor: str, reason: str) -> None:
    for name, desired in json.loads(row["fields"]).items():
        found = connection.execute(
            select(correction).where(
                correction.c.system == row["system"], correction.c.entity == row["entity"],
                correction.c.key == row["key"], correction.c.field == name, correction.c.state == "open",
                correction.c.desired.is_(None) if desired is None else correction.c.desired == desired,
            )
        ).mappings().first()  # fmt: skip
        if found is None:
            continue
        if mapping.field(row["entity"], name).four_eyes and found["actor"] == actor:
            raise Refused(f"{row['entity']} {name} needs a second person: {actor} corrected it")
        connection.execute(update(correction).where(correction.c.id == found["id"]).values(state="abandoned"))
        append(connection, f"correction {found['id']}", "open", "abandoned", actor, reason)
