"""Apply an approved plan: what earlier runs left open is settled first, then every write of it is sent."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, insert, select, update

from connectors.control import Control
from connectors.control.store import utc_now
from connectors.control.tables import intent, plan
from connectors.writeback.actor import current_actor
from connectors.writeback.approve import usable_plan
from connectors.writeback.canonical import canonical_json
from connectors.writeback.chain import append
from connectors.writeback.errors import Refused
from connectors.writeback.ledger import is_wished, move_intent, of_record, plan_row
from connectors.writeback.mapping import Mapping
from connectors.writeback.observed import Seen
from connectors.writeback.plan import body_of, desired_of
from connectors.writeback.resolve import resolve
from connectors.writeback.sending import READY, Sending
from connectors.writeback.target import Target


def apply(
    control: Control,
    mapping: Mapping,
    target: Target,
    plan_hash: str,
    *,
    system: str,
    newest: Callable[[str, str], Seen | None] | None = None,
    on_phase: Callable[[str], None] = lambda phase: None,
) -> list[dict[str, Any]]:
    """Push every write of the approved plan; returns one row per intent with id, entity, key, state and detail.

    `target` is the API of `system`. Doubts of earlier runs there are settled first, by reading. Before each write the
    record is looked at once more, as it landed last (`newest(entity, key)`, where given) and as the target tells it
    now: a field that is not what the plan saw is a person's edit, whatever the version says, and the write is stale.
    `on_phase` is told `durable`, `sending`, `answered` and `recorded` around each call (tests kill the process there).
    Raises Refused for a plan that is not approved, is another system's, or whose wishes are not the current ones any
    more; such a plan is superseded.
    """
    actor = current_actor()
    with control.transaction() as connection:
        row = plan_row(connection, plan_hash)
    if row is not None and row["system"] != system:
        raise Refused(f"the plan is for {row['system']}, not for {system}; nothing was sent")
    resolve(control, mapping, target, system)
    _retire_when_replaced(control, plan_hash, actor)
    with control.transaction() as connection:
        row = usable_plan(connection, plan_hash)
        if row["state"] not in {"approved", "applied"}:
            raise Refused(f"the plan is {row['state']}, not approved: `crossdock approve {row['hash'][:12]}` first")
        _create_intents(connection, row, actor)
    Sending(control, mapping, target, actor, newest, on_phase).push_all(row["hash"])
    with control.transaction() as connection:
        rows = connection.execute(select(intent).where(intent.c.plan_hash == row["hash"])).mappings().all()
    names = ("id", "entity", "key", "state", "detail", "returned_version")
    return [{name: one[name] for name in names} for one in rows]


def _create_intents(connection: Any, row: Any, actor: str) -> None:
    for change in body_of(row)["changes"]:
        mine = (intent.c.plan_hash == row["hash"], intent.c.entity == change["entity"], intent.c.key == change["key"])
        if change["action"] != "write" or connection.execute(select(intent.c.id).where(*mine)).first():
            continue
        fields = desired_of(change)
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
    mine = of_record(system, change["entity"], change["key"])
    waiting = select(intent.c.id, intent.c.state).where(*mine, intent.c.state.in_(READY), intent.c.id < number)
    for older in connection.execute(waiting).all():
        move_intent(connection, older.id, older.state, "stale", actor, f"write {number}, planned later, took its place")


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
            and not is_wished(connection, row["system"], change["entity"], change["key"], desired_of(change))
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
