"""Our own change, coming back through change-data-capture, verifies the attempt that made it."""

import json
from typing import Any

from sqlalchemy import select

from connectors.control import Control
from connectors.control.tables import intent
from connectors.writeback.actor import current_actor
from connectors.writeback.ledger import close_corrections, move_intent
from connectors.writeback.mapping import Mapping
from connectors.writeback.observed import Observed
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
            seen = observed.at_version(row["entity"], row["key"], row["returned_version"])
            if seen is None:
                seen = observed.record(row["entity"], row["key"])
                if seen is None or seen.version != row["returned_version"]:
                    continue
            wanted = json.loads(row["fields"])
            ours = all(seen.values[name] == value for name, value in wanted.items())
            state = "verified" if ours else "diverged"
            detail = (
                f"seen at version {seen.version}" if ours else f"version {seen.version} came back with other values"
            )
            if not move_intent(connection, row["id"], "acked", state, actor, detail):
                continue
            if ours:
                set_verified(connection, system, row["entity"], row["key"], wanted, seen.version)
                close_corrections(connection, system, row["entity"], row["key"], wanted)
            decided.append({"id": row["id"], "entity": row["entity"], "key": row["key"], "state": state})
    return decided
