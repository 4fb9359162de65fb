"""Our own change, coming back through change-data-capture, verifies the attempt that made it."""

import json
from typing import Any

from sqlalchemy import func, select

from connectors.control import Control
from connectors.control.tables import attempt, intent
from connectors.writeback.actor import current_actor
from connectors.writeback.ledger import close_corrections, move_intent
from connectors.writeback.mapping import Mapping
from connectors.writeback.observed import Observed, Seen
from connectors.writeback.plan import set_verified


def verify(control: Control, mapping: Mapping, observed: Observed, system: str) -> list[dict[str, Any]]:
    """Look for every acknowledged write of `system` in the change log; returns what was decided, one row each.

    Recognised by key, values and returned version: verified, the base moves and the correction closes. The version
    came back with other values: diverged, a person looks. Not seen yet: it stays acknowledged.
    """
    actor = current_actor()
    decided = []
    with control.transaction() as connection:
        acked = select(intent).where(intent.c.system == system, intent.c.state == "acked").order_by(intent.c.id)
        for row in connection.execute(acked).mappings().all():
            wanted = json.loads(row["fields"])
            if mapping.missing(row["entity"], wanted):
                continue  # nobody can tell any more; a person ends it
            at = _seen_at(observed, row)
            matching = [seen for seen in at if all(seen.values[name] == value for name, value in wanted.items())]
            ours = bool(matching)
            if not at or (not ours and row["returned_version"] == row["precondition"]):
                continue  # what has landed under that version may be what was there before
            seen = matching[-1] if ours else at[-1]
            state = "verified" if ours else "diverged"
            detail = (
                f"seen at version {seen.version}" if ours else f"version {seen.version} came back with other values"
            )
            if not move_intent(connection, row["id"], "acked", state, actor, detail):
                continue
            if ours:
                set_verified(connection, system, row["entity"], row["key"], wanted, seen.version)
                # one made after it was sent is about what the steward saw then
                sent = connection.execute(
                    select(func.min(attempt.c.sent_utc)).where(attempt.c.intent_id == row["id"])
                ).scalar()
                close_corrections(connection, system, row["entity"], row["key"], wanted, actor, until=sent)
            decided.append({"id": row["id"], "entity": row["entity"], "key": row["key"], "state": state})
    return decided


def _seen_at(observed: Observed, row: Any) -> list[Seen]:
    """The record at the version that the target returned: from the change log, else as it stands."""
    at = observed.at_version(row["entity"], row["key"], row["returned_version"])
    now = observed.record(row["entity"], row["key"]) if not at else None
    return [now] if now is not None and now.version == row["returned_version"] else at
