"""How a person ends what nothing else ends: a write is released, to be planned anew, or abandoned for good, and so is a
correction that never became one."""

import json
from typing import Any

from sqlalchemy import select, update

from connectors.control import Control
from connectors.control.store import utc_now
from connectors.control.tables import correction, intent
from connectors.writeback.actor import current_actor
from connectors.writeback.chain import append
from connectors.writeback.errors import Refused
from connectors.writeback.ledger import OPEN_STATES, UNFULFILLED, is_over, last_attempt, move_intent, of_record
from connectors.writeback.mapping import Mapping


def release(control: Control, number: int, reason: str) -> dict[str, Any]:
    """End an open write; its correction stays, and the next plan compares with what the target says by then.

    A late arrival of what was sent is harmless: it carries the version that it was planned against. Raises Refused for
    an unknown write, one that is over, one whose request may still be under way, or no reason.
    """
    return _end(control, number, "released", reason, OPEN_STATES, None)


def abandon(control: Control, mapping: Mapping, number: int, reason: str) -> dict[str, Any]:
    """Give up a write and the corrections behind it. Raises Refused as `release`, and where a field asks for four eyes
    and the actor is who corrected it.
    """
    return _end(control, number, "abandoned", reason, (*OPEN_STATES, *UNFULFILLED), mapping)


def abandon_correction(control: Control, mapping: Mapping, number: int, reason: str) -> dict[str, Any]:
    """Give up a correction that no open write carries. Raises Refused as `abandon`, and where there is no such one."""
    _ask_reason(reason)
    with control.transaction() as connection:
        row = connection.execute(select(correction).where(correction.c.id == number)).mappings().first()
        if row is None or row["state"] != "open":
            raise Refused(f"there is no open correction {number}; `crossdock writes` lists them")
        mine = of_record(row["system"], row["entity"], row["key"])
        carrying = connection.execute(select(intent.c.id).where(*mine, intent.c.state.in_(OPEN_STATES))).scalar()
        if carrying is not None:
            raise Refused(f"write {carrying} of this record is open; `crossdock writes abandon {carrying}` ends both")
        _drop(connection, mapping, row, current_actor(), reason)
    return {"correction": number, "entity": row["entity"], "key": row["key"], "state": "abandoned", "detail": reason}


def _end(
    control: Control, number: int, state: str, reason: str, endable: tuple[str, ...], mapping: Mapping | None
) -> dict[str, Any]:
    _ask_reason(reason)
    actor = current_actor()
    with control.transaction() as connection:
        row = connection.execute(select(intent).where(intent.c.id == number)).mappings().first()
        if row is None:
            raise Refused(f"there is no write {number}; `crossdock writes` lists them")
        if row["state"] not in endable:
            raise Refused(f"write {number} is {row['state']}; that ends by itself or is over")
        if row["state"] in {"sent", "in_doubt"} and not is_over(last_attempt(connection, number), utc_now()):
            raise Refused(f"write {number} is being sent right now, or may still arrive; try again in a minute")
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
        if found is not None:
            _drop(connection, mapping, found, actor, reason)


def _drop(connection: Any, mapping: Mapping, found: Any, actor: str, reason: str) -> None:
    rule = mapping.rule(found["entity"], found["field"])
    if rule is not None and rule.four_eyes and found["actor"] == actor:
        raise Refused(f"{found['entity']} {found['field']} needs a second person: {actor} corrected it")
    connection.execute(update(correction).where(correction.c.id == found["id"]).values(state="abandoned"))
    append(connection, f"correction {found['id']}", "open", "abandoned", actor, reason)


def _ask_reason(reason: str) -> None:
    if not reason.strip():
        raise Refused("this needs a reason: --reason TEXT")
