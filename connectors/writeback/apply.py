"""Apply an approved plan: every attempt is durable before its first byte leaves, and none is sent twice blindly."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from connectors.control import Control
from connectors.control.store import utc_now
from connectors.control.tables import attempt, intent, plan
from connectors.model import ConnectorError, TransientError
from connectors.writeback.actor import current_actor
from connectors.writeback.approve import usable_plan
from connectors.writeback.canonical import canonical_json, digest
from connectors.writeback.chain import append
from connectors.writeback.errors import Refused, TargetUnavailable
from connectors.writeback.ledger import is_wished, move_intent
from connectors.writeback.mapping import Mapping
from connectors.writeback.observed import Seen
from connectors.writeback.plan import body_of
from connectors.writeback.resolve import resolve, settle
from connectors.writeback.target import Answer, Target

MAX_THROTTLED = 5
LEASE_S = 60.0
READY = ("approved", "throttled")
PASSING = {408, 425, 429, 500, 502, 503, 504}
"""Answers to a read that another time may end otherwise; with any other the target is one that cannot be read."""


def apply(
    control: Control,
    mapping: Mapping,
    target: Target,
    plan_hash: str,
    *,
    newest: Callable[[str, str], Seen | None] | None = None,
    on_phase: Callable[[str], None] = lambda phase: None,
) -> list[dict[str, Any]]:
    """Push every write of the approved plan; returns one row per intent with id, entity, key, state and detail.

    Doubts of earlier runs are settled first, by reading. Before each write the record is looked at once more, as it
    landed last (`newest(entity, key)`, where given) and as the target tells it now: a field that is not what the plan
    saw is a person's edit, whatever the version says, and the write is stale. `on_phase` is told `durable`, `sending`,
    `answered` and `recorded` around each call (tests kill the process there). Raises Refused for a plan that is not
    approved, or whose wishes are not the current ones any more; such a plan is superseded.
    """
    actor = current_actor()
    resolve(control, mapping, target)
    _retire_when_replaced(control, plan_hash, actor)
    with control.transaction() as connection:
        row = usable_plan(connection, plan_hash)
        if row["state"] not in {"approved", "applied"}:
            raise Refused(f"the plan is {row['state']}, not approved: `crossdock approve {row['hash'][:12]}` first")
        _create_intents(connection, row, actor)
    sending = _Sending(control, mapping, target, actor, body_of(row)["changes"], newest, on_phase)
    sending.push_all(row["hash"])
    with control.transaction() as connection:
        rows = connection.execute(select(intent).where(intent.c.plan_hash == row["hash"])).mappings().all()
    names = ("id", "entity", "key", "state", "detail", "returned_version")
    return [{name: one[name] for name in names} for one in rows]


def _create_intents(connection: Any, row: Any, actor: str) -> None:
    for change in body_of(row)["changes"]:
        mine = (intent.c.plan_hash == row["hash"], intent.c.entity == change["entity"], intent.c.key == change["key"])
        if change["action"] != "write" or connection.execute(select(intent.c.id).where(*mine)).first():
            continue
        fields = _desired(change)
        values = {"plan_hash": row["hash"], "system": row["system"], "entity": change["entity"], "key": change["key"],
                  "fields": canonical_json(fields), "precondition": change["version"], "state": "approved",
                  "updated_utc": utc_now()}  # fmt: skip
        number = connection.execute(insert(intent).values(values)).inserted_primary_key[0]
        append(connection, f"intent {number}", None, "approved", actor)
        _retire_older(connection, number, change, row["system"], actor)
    if row["state"] != "applied":
        connection.execute(update(plan).where(plan.c.hash == row["hash"]).values(state="applied"))
        append(connection, f"plan {row['hash'][:12]}", row["state"], "applied", actor)


def _retire_older(connection: Connection, number: int, change: dict[str, Any], system: str, actor: str) -> None:
    """Writes of the same record that still wait to be sent are over: this one was planned later."""
    of_record = _of_record(system, change["entity"], change["key"])
    waiting = select(intent.c.id, intent.c.state).where(*of_record, intent.c.state.in_(READY), intent.c.id < number)
    for older in connection.execute(waiting).all():
        move_intent(connection, older.id, older.state, "stale", actor, f"write {number}, planned later, took its place")


def _of_record(system: str, entity: str, key: str) -> tuple[Any, ...]:
    return intent.c.system == system, intent.c.entity == entity, intent.c.key == key


def _retire_when_replaced(control: Control, plan_hash: str, actor: str) -> None:
    """A plan nothing of which was sent yet, with a wish that was replaced or withdrawn since, is superseded."""
    with control.transaction() as connection:
        row = usable_plan(connection, plan_hash)
        if row["state"] not in {"planned", "approved"}:
            return
        replaced = [
            f"{change['entity']} {change['key']}"
            for change in body_of(row)["changes"]
            if change["action"] == "write"
            and not is_wished(connection, row["system"], change["entity"], change["key"], _desired(change))
        ]
        if replaced:
            connection.execute(update(plan).where(plan.c.hash == row["hash"]).values(state="superseded"))
            append(
                connection, f"plan {row['hash'][:12]}", row["state"], "superseded", actor, f"replaced: {replaced[0]}"
            )
    if replaced:
        raise Refused(
            f"the correction of {replaced[0]} was replaced since this plan; `crossdock plan` shows the new one"
        )


def _desired(change: dict[str, Any]) -> dict[str, str | None]:
    return {name: values["desired"] for name, values in change["fields"].items()}


@dataclass(frozen=True)
class _Sending:
    """One apply of one plan: everything that its writes share."""

    control: Control
    mapping: Mapping
    target: Target
    actor: str
    changes: list[dict[str, Any]]
    newest: Callable[[str, str], Seen | None] | None
    on_phase: Callable[[str], None]

    def push_all(self, plan_hash: str) -> None:
        with self.control.transaction() as connection:
            ready = intent.c.plan_hash == plan_hash, intent.c.state.in_(READY)
            numbers: list[int] = list(
                connection.execute(select(intent.c.id).where(*ready).order_by(intent.c.id)).scalars()
            )
        for number in numbers:
            for _ in range(MAX_THROTTLED):
                wait_s = self._push(number)
                if not wait_s:
                    break
                time.sleep(wait_s)

    def _push(self, number: int) -> float:
        """One attempt of one intent; returns the seconds to wait before the next one, 0 when there is none to make."""
        if not self._is_as_planned(number):
            return 0.0
        claimed = _claim(self.control, number, self.actor, self.target.timeout_s)
        if claimed is None:
            return 0.0
        row, generation = claimed
        self.on_phase("durable")
        rules = self.mapping.entity(row["entity"]).fields
        fields = {name: rules[name].outgoing(text) for name, text in json.loads(row["fields"]).items()}
        self.on_phase("sending")
        try:
            answer = self.target.patch(row["entity"], row["key"], fields, row["precondition"])
        except Exception as error:
            _record(self.control, number, generation, "approved", self.actor, "not sent", None, str(error))
            raise
        self.on_phase("answered")
        after = {"returned_version": answer.version} if answer.kind == "acked" else {}
        kind = answer.kind
        try:
            _record(self.control, number, generation, kind, self.actor, kind, answer.status, answer.detail, **after)
        except ConnectorError as error:
            raise TransientError(
                f"Write {number} was sent, and what was answered could not be recorded: {error}",
                "The next `crossdock apply` settles it by reading; it is not sent again on a guess.",
            ) from error
        self.on_phase("recorded")
        state = settle(self.control, self.mapping, self.target, number, self.actor)
        return max(answer.retry_after_s, 0.05) if state == "throttled" else 0.0

    def _is_as_planned(self, number: int) -> bool:
        """Moves the intent to stale when the record is not what the plan saw, or its wish was replaced; leaves it for
        the next apply when the target, which can be read, cannot be read now."""
        with self.control.transaction() as connection:
            row = connection.execute(select(intent).where(intent.c.id == number)).mappings().one()
            wished = is_wished(connection, row["system"], row["entity"], row["key"], json.loads(row["fields"]))
        if row["state"] not in READY:
            return False
        now = self.target.read(row["entity"], row["key"])
        why = self._edit(row, now) if wished else "the correction was replaced since it was approved"
        if why is None and now.status is None:
            raise TargetUnavailable(f"the target cannot be read before the write ({now.detail}); nothing was sent")
        if why is None and now.status in PASSING:
            with self.control.transaction() as connection:
                detail = f"waits: the target cannot be read before the write ({now.detail})"
                connection.execute(update(intent).where(intent.c.id == number).values(detail=detail))
            return False
        if why is not None:
            with self.control.transaction() as connection:
                move_intent(connection, number, row["state"], "stale", self.actor, why)
        return why is None

    def _edit(self, row: Any, now: Answer) -> str | None:
        planned = next(c for c in self.changes if (c["entity"], c["key"]) == (row["entity"], row["key"]))["fields"]
        rules = self.mapping.entity(row["entity"]).fields
        landed = self.newest(row["entity"], row["key"]) if self.newest else None
        views = [("landed", landed.values)] if landed is not None else []
        if now.status == 200 and now.values is not None:  # values count, also where no version comes with them
            told = now.values
            views.append(("in the target", {name: rules[name].canonical(told.get(name)) for name in planned}))
        for where, values in views:
            for name, seen in planned.items():
                if values[name] != seen["observed"]:
                    return f"{name} is {values[name]} {where}, the plan saw {seen['observed']}: somebody changed it"
        return None


def _claim(control: Control, number: int, actor: str, timeout_s: float) -> tuple[Any, int] | None:
    now = utc_now()
    with control.transaction() as connection:
        row = connection.execute(select(intent).where(intent.c.id == number)).mappings().one()
        under_way = *_of_record(row["system"], row["entity"], row["key"]), intent.c.state.in_(["sent", "in_doubt"])
        if row["state"] not in READY or connection.execute(select(intent.c.id).where(*under_way)).first():
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
