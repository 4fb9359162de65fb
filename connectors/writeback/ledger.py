"""The ledger: every state a correction, plan or intent passes through; `chain` keeps it so that an edit shows.

States of an intent: approved -> sent -> acked -> verified; side exits rejected, stale (the precondition failed),
throttled, in_doubt (sent, no answer known), diverged (somebody else wrote after us). A person ends what nothing else
ends: released (planned anew) or abandoned.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from connectors.control import Control
from connectors.control.store import utc_now
from connectors.control.tables import attempt, correction, intent, plan
from connectors.writeback.chain import append

AHEAD = timedelta(minutes=5)
"""What is further in the future was recorded while the clock was ahead; less may be the clock of another host."""
OPEN_STATES = ("approved", "sent", "acked", "throttled", "in_doubt")
UNFULFILLED = ("rejected", "stale", "diverged")
"""A write that ended without what it was for; its correction is still open, and may be planned anew or abandoned."""


def move_intent(
    connection: Connection, row_id: int, before: str, after: str, actor: str, detail: str = "", **values: Any
) -> bool:
    """Move an intent if it still stands in `before`; False when another process moved it first."""
    changed = connection.execute(
        update(intent)
        .where(intent.c.id == row_id, intent.c.state == before)
        .values(state=after, detail=detail, updated_utc=utc_now(), **values)
    ).rowcount
    if changed:
        append(connection, f"intent {row_id}", before, after, actor, detail)
    return bool(changed)


def of_record(system: str, entity: str, key: str) -> tuple[Any, ...]:
    """The condition that an intent is of this record."""
    return intent.c.system == system, intent.c.entity == entity, intent.c.key == key


def last_attempt(connection: Connection, number: int) -> Any:
    """The newest attempt of an intent, or None."""
    query = select(attempt).where(attempt.c.intent_id == number).order_by(attempt.c.generation.desc()).limit(1)
    return connection.execute(query).mappings().first()


def is_over(last: Any, now: datetime, settle_s: float = 0.0) -> bool:
    """Whether the deadline of an attempt, if there was one, is more than `settle_s` ago. One from the future is over:
    it was made while the clock was ahead, and nobody knows when."""
    if last is None or last["sent_utc"] > now + AHEAD:
        return True
    return bool(last["deadline_utc"] + timedelta(seconds=settle_s) < now)


def is_taken_back(connection: Connection, plan_hash: str) -> bool:
    """Whether the approval of a plan was taken back after some of it was sent."""
    return connection.execute(select(plan.c.state).where(plan.c.hash == plan_hash)).scalar() == "superseded"


def close_corrections(
    connection: Connection,
    system: str,
    entity: str,
    key: str,
    fields: dict[str, Any],
    actor: str,
    *,
    until: datetime | None = None,
) -> None:
    """Corrections, made `until` then, whose desired value is now true in the target are done."""
    for name, value in fields.items():
        mine = (
            correction.c.system == system,
            correction.c.entity == entity,
            correction.c.key == key,
            correction.c.field == name,
            correction.c.state == "open",
            correction.c.desired.is_(None) if value is None else correction.c.desired == value,
            *([correction.c.created_utc <= until] if until is not None else []),
        )
        numbers: Sequence[int] = connection.execute(select(correction.c.id).where(*mine)).scalars().all()
        for number in numbers:
            connection.execute(update(correction).where(correction.c.id == number).values(state="verified"))
            append(connection, f"correction {number}", "open", "verified", actor)


def is_wished(connection: Connection, system: str, entity: str, key: str, fields: dict[str, str | None]) -> bool:
    """Whether every one of these values is what an open correction of that field asks for."""
    rows = connection.execute(
        select(correction.c.field, correction.c.desired).where(
            correction.c.system == system, correction.c.entity == entity, correction.c.key == key,
            correction.c.state == "open",
        )
    )  # fmt: skip
    wishes = {row.field: row.desired for row in rows}
    return all(name in wishes and wishes[name] == value for name, value in fields.items())


def writes(control: Control) -> list[dict[str, Any]]:
    """Every intent with its attempts, newest first; open corrections that are in no plan yet come before them."""
    with control.transaction() as connection:
        intents = connection.execute(select(intent).order_by(intent.c.id.desc())).mappings().all()
        attempts = connection.execute(select(attempt).order_by(attempt.c.generation)).mappings().all()
        waiting = connection.execute(
            select(correction).where(correction.c.state == "open").order_by(correction.c.id)
        ).mappings()
        planned = {(row["system"], row["entity"], row["key"]) for row in intents if row["state"] in OPEN_STATES}
        rows = [
            {"correction": row["id"], "state": "open", "system": row["system"], "entity": row["entity"],
             "key": row["key"], "fields": {row["field"]: row["desired"]}, "reason": row["reason"],
             "actor": row["actor"], "attempts": []}
            for row in waiting
            if (row["system"], row["entity"], row["key"]) not in planned
        ]  # fmt: skip
    for row in intents:
        mine = [one for one in attempts if one["intent_id"] == row["id"]]
        rows.append(
            {
                "id": row["id"],
                "state": row["state"],
                "system": row["system"],
                "entity": row["entity"],
                "key": row["key"],
                "fields": json.loads(row["fields"]),
                "plan": row["plan_hash"],
                "precondition": row["precondition"],
                "returned_version": row["returned_version"],
                "detail": row["detail"],
                "attempts": [
                    {name: one[name] for name in ("generation", "outcome", "status", "sent_utc", "answered_utc")}
                    for one in mine
                ],
            }
        )
    return rows


def plan_row(connection: Connection, plan_hash: str) -> Any:
    """The plan whose hash starts with `plan_hash` (at least 6 characters), or None. Ambiguous counts as none."""
    if len(plan_hash) < 6:
        return None
    rows = connection.execute(select(plan).where(plan.c.hash.startswith(plan_hash, autoescape=True))).mappings().all()
    return rows[0] if len(rows) == 1 else None
