"""Apply an approved plan: every attempt is durable before its first byte leaves, and none is sent twice blindly."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from connectors.control import Control
from connectors.control.store import utc_now
from connectors.control.tables import attempt, intent, plan
from connectors.writeback.actor import current_actor
from connectors.writeback.approve import usable_plan
from connectors.writeback.errors import Refused
from connectors.writeback.ledger import canonical_json, digest, log, move_intent
from connectors.writeback.mapping import Mapping
from connectors.writeback.plan import body_of
from connectors.writeback.resolve import resolve
from connectors.writeback.target import Target

MAX_THROTTLED = 5
LEASE_S = 60.0


def apply(
    control: Control,
    mapping: Mapping,
    target: Target,
    plan_hash: str,
    *,
    on_phase: Callable[[str], None] = lambda phase: None,
) -> list[dict[str, Any]]:
    """Push every write of the approved plan; returns one row per intent with id, entity, key, state and detail.

    Doubts of earlier runs are settled first, by reading. `on_phase` is told `durable`, `sending`, `answered` and
    `recorded` around each call (tests kill the process there). Raises Refused for a plan that is not approved.
    """
    actor = current_actor()
    resolve(control, mapping, target)
    with control.transaction() as connection:
        row = usable_plan(connection, plan_hash)
        if row["state"] not in {"approved", "applied"}:
            raise Refused(f"the plan is {row['state']}, not approved: `crossdock approve {row['hash'][:12]}` first")
        _create_intents(connection, row, actor)
    _push_all(control, mapping, target, row["hash"], actor, on_phase)
    with control.transaction() as connection:
        rows = connection.execute(select(intent).where(intent.c.plan_hash == row["hash"])).mappings().all()
    names = ("id", "entity", "key", "state", "detail", "returned_version")
    return [{name: one[name] for name in names} for one in rows]


def _create_intents(connection: Any, row: Any, actor: str) -> None:
    for change in body_of(row)["changes"]:
        mine = (intent.c.plan_hash == row["hash"], intent.c.entity == change["entity"], intent.c.key == change["key"])
        if change["action"] != "write" or connection.execute(select(intent.c.id).where(*mine)).first():
            continue
        fields = {name: values["desired"] for name, values in change["fields"].items()}
        values = {"plan_hash": row["hash"], "system": row["system"], "entity": change["entity"], "key": change["key"],
                  "fields": canonical_json(fields), "precondition": change["version"], "state": "approved",
                  "updated_utc": utc_now()}  # fmt: skip
        number = connection.execute(insert(intent).values(values)).inserted_primary_key[0]
        log(connection, f"intent {number}", None, "approved", actor)
    connection.execute(update(plan).where(plan.c.hash == row["hash"]).values(state="applied"))


def _push_all(
    control: Control, mapping: Mapping, target: Target, plan_hash: str, actor: str, on_phase: Callable[[str], None]
) -> None:
    with control.transaction() as connection:
        numbers: list[int]
        ready = intent.c.plan_hash == plan_hash, intent.c.state.in_(["approved", "throttled"])
        numbers = list(connection.execute(select(intent.c.id).where(*ready).order_by(intent.c.id)).scalars())
    for number in numbers:
        for _ in range(MAX_THROTTLED):
            wait_s = _push(control, mapping, target, number, actor, on_phase)
            if not wait_s:
                break
            time.sleep(wait_s)


def _push(
    control: Control, mapping: Mapping, target: Target, number: int, actor: str, on_phase: Callable[[str], None]
) -> float:
    """One attempt of one intent; returns the seconds to wait before the next one, 0 when there is none to make."""
    claimed = _claim(control, number, actor, target.timeout_s)
    if claimed is None:
        return 0.0
    row, generation = claimed
    on_phase("durable")
    rules = mapping.entity(row["entity"]).fields
    fields = {name: rules[name].outgoing(text) for name, text in json.loads(row["fields"]).items()}
    on_phase("sending")
    try:
        answer = target.patch(row["entity"], row["key"], fields, row["precondition"])
    except Exception as error:
        _record(control, number, generation, "approved", actor, "not sent", None, str(error))
        raise
    on_phase("answered")
    state, after = answer.kind, {}
    if answer.kind == "acked":
        after = {"returned_version": answer.version}
    _record(control, number, generation, state, actor, answer.kind, answer.status, answer.detail, **after)
    on_phase("recorded")
    return max(answer.retry_after_s, 0.05) if answer.kind == "throttled" else 0.0


def _claim(control: Control, number: int, actor: str, timeout_s: float) -> tuple[Any, int] | None:
    now = utc_now()
    with control.transaction() as connection:
        row = connection.execute(select(intent).where(intent.c.id == number)).mappings().one()
        if row["state"] not in {"approved", "throttled"}:
            return None
        lease = {"token": row["token"] + 1, "lease_until_utc": now + timedelta(seconds=max(LEASE_S, 2 * timeout_s))}
        if not move_intent(connection, number, row["state"], "sent", actor, **lease):
            return None
        last = connection.execute(select(func.max(attempt.c.generation)).where(attempt.c.intent_id == number)).scalar()
        generation = (last or 0) + 1
        request = {"intent": number, "generation": generation, "fields": row["fields"], "if": row["precondition"]}
        connection.execute(
            insert(attempt).values(
                intent_id=number, generation=generation, request_hash=digest(request), sent_utc=now,
                deadline_utc=now + timedelta(seconds=timeout_s),
            )
        )  # fmt: skip
    return row, generation


def _record(
    control: Control, number: int, generation: int, state: str, actor: str, outcome: str,
    status: int | None, detail: str, **values: Any,
) -> None:  # fmt: skip
    with control.transaction() as connection:
        connection.execute(
            update(attempt)
            .where(attempt.c.intent_id == number, attempt.c.generation == generation)
            .values(outcome=outcome, status=status, answered_utc=utc_now())
        )
        move_intent(connection, number, "sent", state, actor, detail, **values)
