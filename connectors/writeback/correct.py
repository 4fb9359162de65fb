"""A steward's correction, recorded before anything is planned."""

from typing import Any

from sqlalchemy import insert, select, update

from connectors.control import Control
from connectors.control.store import utc_now
from connectors.control.tables import correction
from connectors.writeback.actor import current_actor
from connectors.writeback.chain import append
from connectors.writeback.errors import Refused
from connectors.writeback.mapping import Mapping
from connectors.writeback.observed import Observed


def correct(
    control: Control,
    mapping: Mapping,
    observed: Observed,
    system: str,
    entity: str,
    key: str,
    fields: dict[str, Any],
    reason: str,
) -> list[dict[str, Any]]:
    """Record what each field should be, with what the steward saw when deciding; one row per field.

    A newer correction of the same field takes the older one's place; the same one again changes nothing. Raises
    Refused for an unknown entity, key or field, a value that does not fit, or an empty reason.
    """
    if not reason.strip():
        raise Refused("a correction needs a reason: --reason TEXT")
    if not fields:
        raise Refused("nothing to correct: give FIELD=VALUE")
    desired = {name: _desired(mapping, entity, name, value) for name, value in fields.items()}
    seen = observed.record(entity, key)
    if seen is None:
        raise Refused(f"{system} has no {entity} {key!r}; nothing was recorded")
    actor = current_actor()
    recorded = []
    with control.transaction() as connection:
        for name, value in desired.items():
            same_field = (
                (correction.c.system == system)
                & (correction.c.entity == entity)
                & (correction.c.key == key)
                & (correction.c.field == name)
                & (correction.c.state == "open")
            )
            older = connection.execute(select(correction).where(same_field)).mappings().first()
            row = {"system": system, "entity": entity, "key": key, "field": name, "desired": value}
            if older is not None and older["desired"] == value and older["seen"] == seen.values[name]:
                recorded.append(row | {"id": older["id"], "seen": older["seen"]})
                continue
            if older is not None:
                connection.execute(update(correction).where(correction.c.id == older["id"]).values(state="superseded"))
                append(connection, f"correction {older['id']}", "open", "superseded", actor)
            new = row | {"seen": seen.values[name], "reason": reason, "actor": actor, "state": "open"}
            inserted = connection.execute(insert(correction).values(new | {"created_utc": utc_now()}))
            number = inserted.inserted_primary_key[0]  # type: ignore[index]
            append(connection, f"correction {number}", None, "open", actor, reason)
            recorded.append(row | {"id": number, "seen": seen.values[name]})
    return recorded


def _desired(mapping: Mapping, entity: str, name: str, value: Any) -> str | None:
    rule = mapping.field(entity, name)
    try:
        canonical = rule.canonical(value)
    except Refused as error:
        raise Refused(f"{entity} {name}: {error}") from None
    if not rule.blank and not (canonical or "").strip():
        raise Refused(f"{entity} {name} may not be emptied")
    return canonical
