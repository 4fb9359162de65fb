"""The plan: last verified, observed and desired compared per field; immutable, and known by its hash."""

import json
from datetime import timedelta
from decimal import Decimal, DecimalException
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from connectors.control import Control
from connectors.control.store import utc_now
from connectors.control.tables import correction, intent, verified
from connectors.control.tables import plan as plan_table
from connectors.writeback.actor import current_actor
from connectors.writeback.canonical import canonical_json, digest
from connectors.writeback.chain import append
from connectors.writeback.ledger import OPEN_STATES, close_corrections, of_record
from connectors.writeback.mapping import FieldRule, Mapping
from connectors.writeback.observed import Observed, Seen


def plan(control: Control, mapping: Mapping, observed: Observed, system: str) -> dict[str, Any]:
    """Plan every open correction of `system`; the same facts give the same plan and the same hash.

    Returns {"hash", "system", "state", "changes": [...]}: a change has entity, key, version (the precondition), fields
    {name: {verified, observed, desired}}, action `write` or `blocked`, and the reason when blocked. Where desired and
    observed already agree nothing is written: the observed value becomes the verified one.
    """
    with control.transaction() as connection:
        wanted = _open_corrections(connection, system)
        changes = []
        for (entity, key), rows in sorted(wanted.items()):
            change = _change(connection, mapping, observed, system, entity, key, rows)
            if change is not None:
                changes.append(change)
        writable = sum(change["action"] == "write" for change in changes)
        if writable > mapping.guards.max_rows:
            for change in changes:
                change |= {"action": "blocked", "reason": f"{writable} records, limit {mapping.guards.max_rows}"}
        body = {"system": system, "mapping_version": mapping.version, "changes": changes}
        key = digest(body)
        state = _store(connection, key, body, mapping) if changes else "empty"
    return {"hash": key if changes else None, "state": state, **body}


def _open_corrections(connection: Connection, system: str) -> dict[tuple[str, str], list[Any]]:
    rows = connection.execute(
        select(correction)
        .where(correction.c.system == system, correction.c.state == "open")
        .order_by(correction.c.entity, correction.c.key, correction.c.field)
    ).mappings()
    grouped: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        grouped.setdefault((row["entity"], row["key"]), []).append(row)
    return grouped


def _change(
    connection: Connection, mapping: Mapping, observed: Observed, system: str, entity: str, key: str, rows: list[Any]
) -> dict[str, Any] | None:
    wanted = {row["field"]: {"desired": row["desired"]} for row in rows}
    gone = mapping.missing(entity, wanted)
    seen = observed.record(entity, key) if gone is None else None
    change: dict[str, Any] = {"entity": entity, "key": key, "version": seen.version if seen else None}
    if seen is None:
        reason = gone or "deleted in the target; never recreated"
        return change | {"fields": wanted, "action": "blocked", "reason": reason}
    base = _verified(connection, system, entity, key)
    waiting = _in_flight(connection, system, entity, key)
    fields, reasons = {}, []
    for row in rows:
        name, desired = row["field"], row["desired"]
        if desired == seen.values[name] and waiting is None:  # else it may be what was there before that write
            _adopt(connection, system, entity, key, name, seen)
            continue
        known = base.get(name)
        fields[name] = {"verified": known.value if known else None, "observed": seen.values[name], "desired": desired}
        # the steward decided looking at `seen`: any other value since then, but one we verified since, is news to them
        ours = known.value if known and known.verified_utc >= row["created_utc"] else row["seen"]
        if seen.values[name] not in (row["seen"], ours):
            reasons.append(
                f"{name} changed in the target to {seen.values[name]} since the correction; correct it again"
            )
        reasons += _guard(mapping.field(entity, name), name, seen.values[name], desired)
    if not fields:
        return None
    if former := _former(connection, system, entity, key):
        change["after"] = former  # or the plan could be the one that was applied, and never be sent
    if waiting:
        reasons.append(waiting)
    return change | {"fields": fields, "action": "blocked" if reasons else "write", "reason": "; ".join(reasons)}


def _guard(rule: FieldRule, name: str, observed: str | None, desired: str | None) -> list[str]:
    if rule.max_change_ratio is None or observed is None or desired is None:
        return []
    try:
        old, new = Decimal(observed), Decimal(desired)
        if old == 0 or abs(new - old) / abs(old) <= Decimal(str(rule.max_change_ratio)):
            return []
    except DecimalException:  # what the target has is no number: nothing can be said of the way from it
        return []
    return [f"{name} would move by more than {rule.max_change_ratio:.0%}"]


def _verified(connection: Connection, system: str, entity: str, key: str) -> dict[str, Any]:
    rows = connection.execute(
        select(verified.c.field, verified.c.value, verified.c.verified_utc).where(
            verified.c.system == system, verified.c.entity == entity, verified.c.key == key
        )
    )
    return {row.field: row for row in rows}


def _adopt(connection: Connection, system: str, entity: str, key: str, name: str, seen: Seen) -> None:
    set_verified(connection, system, entity, key, {name: seen.values[name]}, seen.version)
    close_corrections(connection, system, entity, key, {name: seen.values[name]}, current_actor())


def set_verified(
    connection: Connection, system: str, entity: str, key: str, values: dict[str, str | None], version: str
) -> None:
    """The base moves here and nowhere else: only on what was observed in the target."""
    for name, value in values.items():
        row = {"system": system, "entity": entity, "key": key, "field": name}
        new = {"value": value, "version": version, "verified_utc": utc_now()}
        where = [verified.c[column] == row[column] for column in row]
        if not connection.execute(update(verified).where(*where).values(new)).rowcount:
            connection.execute(insert(verified).values(row | new))


def _in_flight(connection: Connection, system: str, entity: str, key: str) -> str | None:
    row = connection.execute(
        select(intent.c.id, intent.c.state).where(
            *of_record(system, entity, key), intent.c.state.in_(state for state in OPEN_STATES if state != "approved")
        )
    ).first()
    return f"write {row.id} of this record is {row.state}; it is settled first" if row else None


def _former(connection: Connection, system: str, entity: str, key: str) -> int | None:
    """The last write of this record that is over, whatever its end: the same facts may need the same write again."""
    last = select(func.max(intent.c.id)).where(*of_record(system, entity, key), intent.c.state.not_in(OPEN_STATES))
    return connection.execute(last).scalar()


def _store(connection: Connection, key: str, body: dict[str, Any], mapping: Mapping) -> str:
    now, actor = utc_now(), current_actor()
    found = connection.execute(select(plan_table).where(plan_table.c.hash == key)).mappings().first()
    older = plan_table.c.system == body["system"], plan_table.c.state.in_(["planned", "approved"])
    for old in connection.execute(select(plan_table.c.hash, plan_table.c.state).where(*older)).all():
        if old.hash != key and not _started(connection, old.hash):
            connection.execute(update(plan_table).where(plan_table.c.hash == old.hash).values(state="superseded"))
            append(connection, f"plan {old.hash[:12]}", old.state, "superseded", actor)
    if found is not None and found["state"] in {"planned", "approved"} and found["expires_utc"] > now:
        return str(found["state"])
    values = {"state": "planned", "planned_by": actor, "planned_utc": now,
              "expires_utc": now + timedelta(hours=mapping.guards.expires_hours)}  # fmt: skip
    if found is None:
        row = {"hash": key, "system": body["system"], "body": canonical_json(body)}
        connection.execute(insert(plan_table).values(row | values))
    elif found["state"] == "applied":
        return "applied"
    else:
        connection.execute(update(plan_table).where(plan_table.c.hash == key).values(values))
    append(connection, f"plan {key[:12]}", found["state"] if found else None, "planned", actor)
    return "planned"


def _started(connection: Connection, plan_hash: str) -> bool:
    return connection.execute(select(intent.c.id).where(intent.c.plan_hash == plan_hash).limit(1)).first() is not None


def body_of(row: Any) -> dict[str, Any]:
    """The change list of a stored plan."""
    return dict(json.loads(row["body"]))


def change_of(row: Any, entity: str, key: str) -> dict[str, Any]:
    """What a stored plan says of one record; {} when it does not name it."""
    return next((one for one in body_of(row)["changes"] if (one["entity"], one["key"]) == (entity, key)), {})


def desired_of(change: dict[str, Any]) -> dict[str, str | None]:
    """What a change would write, per field."""
    return {name: values["desired"] for name, values in change["fields"].items()}
