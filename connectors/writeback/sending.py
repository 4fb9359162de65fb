"""Sending the writes of one plan: every attempt is durable before its first byte leaves, and recorded after."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update

from connectors.control import Control
from connectors.control.store import utc_now
from connectors.control.tables import attempt, intent, plan
from connectors.model import ConnectorError, TransientError
from connectors.writeback.canonical import digest
from connectors.writeback.errors import Refused, TargetUnavailable
from connectors.writeback.ledger import is_taken_back, last_attempt, move_intent, of_record
from connectors.writeback.look import compared, is_as_planned, unwanted
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
        claimed = self._claim(number)
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
            self._record(row, generation, "approved", Answer("not sent", detail=str(error)))
            raise
        except Exception as error:  # whatever it was, the request may have left
            answer = Answer("in_doubt", detail=type(error).__name__)
        self.on_phase("answered")
        if answer.kind == "acked" and answer.version == row["precondition"]:
            why = f"HTTP {answer.status}, with the version that it was planned against"
            answer = replace(answer, kind="in_doubt", detail=why)  # it may have changed nothing
        try:
            self._record(row, generation, answer.kind, answer)
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
            why = unwanted(connection, self.mapping, row, planned)
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

    def _claim(self, number: int) -> tuple[Any, int] | None:
        """The intent, now sent, with the number of its new attempt; None when it is not to be sent any more.

        Raises Refused when it is not what its plan says.
        """
        with self.control.transaction() as connection:
            now = utc_now()  # here, where no lock is waited for any more: the deadline counts from it
            row = connection.execute(select(intent).where(intent.c.id == number)).mappings().one()
            planned = connection.execute(select(plan).where(plan.c.hash == row["plan_hash"])).mappings().one()
            mine = of_record(row["system"], row["entity"], row["key"])
            under_way = select(intent.c.id).where(*mine, intent.c.state.in_(["sent", "in_doubt"]))
            if row["state"] not in READY or connection.execute(under_way).first():
                return None
            if not is_as_planned(row, planned):
                raise Refused(f"write {number} is not what its plan says: it was altered; nothing was sent")
            if why := unwanted(connection, self.mapping, row, planned):
                move_intent(connection, number, row["state"], "stale", self.actor, why)
                return None
            timeout_s = self.target.timeout_s
            lease = {"token": row["token"] + 1, "lease_until_utc": now + timedelta(seconds=max(LEASE_S, 2 * timeout_s))}
            if not move_intent(connection, number, row["state"], "sent", self.actor, **lease):
                return None
            last = last_attempt(connection, number)
            generation = last["generation"] + 1 if last is not None else 1
            request = {"intent": number, "generation": generation, "fields": row["fields"], "if": row["precondition"]}
            connection.execute(
                insert(attempt).values(
                    intent_id=number, generation=generation, request_hash=digest(request), sent_utc=now,
                    deadline_utc=now + timedelta(seconds=timeout_s),
                )
            )  # fmt: skip
        return row, generation

    def _record(self, row: Any, generation: int, state: str, answer: Answer) -> None:
        """The answer, in its attempt; the intent moves where no newer attempt was made and nobody ended it: whoever
        settled it meanwhile did not know this answer."""
        with self.control.transaction() as connection:
            connection.execute(
                update(attempt)
                .where(attempt.c.intent_id == row["id"], attempt.c.generation == generation)
                .values(outcome=answer.kind, status=answer.status, answered_utc=utc_now())
            )
            now = connection.execute(select(intent.c.state, intent.c.token).where(intent.c.id == row["id"])).one()
            if now.token != row["token"] + 1 or now.state not in {"sent", "in_doubt", "approved"}:
                return
            tells = state == "acked" or answer.version == row["precondition"]
            detail, after = answer.detail, {"returned_version": answer.version} if tells else {}
            if state == "approved" and is_taken_back(connection, row["plan_hash"]):
                state, detail = "stale", "it was not sent, and its approval was taken back"
            move_intent(connection, row["id"], now.state, state, self.actor, detail, **after)
