"""Sending the writes of one plan: every attempt is durable before its first byte leaves, and recorded after."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from connectors.control import Control
from connectors.control.store import utc_now
from connectors.control.tables import attempt, intent, plan
from connectors.model import ConnectorError, TransientError
from connectors.writeback.canonical import digest
from connectors.writeback.errors import Refused, TargetUnavailable
from connectors.writeback.ledger import move_intent, of_record
from connectors.writeback.look import compared, unwanted
from connectors.writeback.mapping import Mapping
from connectors.writeback.observed import Seen
from connectors.writeback.resolve import settle
from connectors.writeback.target import Answer, Target

MAX_THROTTLED = 5
LEASE_S = 60.0
READY = ("approved", "throttled")


@dataclass(frozen=True)
class Sending:
    """One apply of one plan: everything that its writes share."""

    control: Control
    mapping: Mapping
    target: Target
    actor: str
    newest: Callable[[str, str], Seen | None] | None
    on_phase: Callable[[str], None]

    def push_all(self, plan_hash: str) -> None:
        """Sends every write of the plan that is ready; raises TargetUnavailable where there is nobody to send to."""
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
        if not self._may_leave(number):
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
        except (Refused, TargetUnavailable) as error:
            _record(self.control, number, generation, "approved", self.actor, "not sent", None, str(error))
            raise
        except Exception as error:  # whatever it was, the request may have left
            answer = Answer("in_doubt", detail=type(error).__name__)
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

    def _may_leave(self, number: int) -> bool:
        """Moves the intent to stale when it is not wanted any more or the record is not what the plan saw; leaves it
        for the next apply when the target cannot tell now."""
        with self.control.transaction() as connection:
            row = connection.execute(select(intent).where(intent.c.id == number)).mappings().one()
            planned = connection.execute(select(plan).where(plan.c.hash == row["plan_hash"])).mappings().one()
            why = unwanted(connection, row)
        if row["state"] not in READY:
            return False
        if why is None:
            now = self.target.read(row["entity"], row["key"])
            landed = self.newest(row["entity"], row["key"]) if self.newest else None
            verdict, said = compared(self.mapping, row, planned, landed, now)
            if verdict == "send":
                return True
            if verdict == "wait" and now.status is None:
                raise TargetUnavailable(f"{said}; nothing was sent")
            if verdict == "wait":
                with self.control.transaction() as connection:
                    waiting = update(intent).where(intent.c.id == number, intent.c.state == row["state"])
                    connection.execute(waiting.values(detail=f"waits: {said}"))
                return False
            why = said
        with self.control.transaction() as connection:
            move_intent(connection, number, row["state"], "stale", self.actor, why)
        return False


def _claim(control: Control, number: int, actor: str, timeout_s: float) -> tuple[Any, int] | None:
    now = utc_now()
    with control.transaction() as connection:
        row = connection.execute(select(intent).where(intent.c.id == number)).mappings().one()
        mine = of_record(row["system"], row["entity"], row["key"])
        under_way = select(intent.c.id).where(*mine, intent.c.state.in_(["sent", "in_doubt"]))
        if row["state"] not in READY or connection.execute(under_way).first():
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
