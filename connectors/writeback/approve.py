"""Approval of the exact change-set, by its hash."""

from typing import Any

from sqlalchemy import delete, insert, select, update

from connectors.control import Control
from connectors.control.store import utc_now
from connectors.control.tables import approval, correction, plan, transition
from connectors.writeback.actor import current_actor
from connectors.writeback.canonical import digest
from connectors.writeback.chain import append
from connectors.writeback.errors import Refused
from connectors.writeback.ledger import plan_row
from connectors.writeback.mapping import Mapping
from connectors.writeback.plan import body_of


def approve(control: Control, mapping: Mapping, plan_hash: str) -> dict[str, Any]:
    """Approve the plan known by `plan_hash`; approving it again changes nothing.

    Raises Refused when the hash is unknown, the plan was altered, superseded or expired, holds nothing to write, or
    touches a four-eyes field whose value the approver ever asked for, or a plan with one that they made.
    """
    actor = current_actor()
    with control.transaction() as connection:
        row = usable_plan(connection, plan_hash)
        if row["state"] in {"approved", "applied"}:
            return {"hash": row["hash"], "state": row["state"]}
        writable = [change for change in body_of(row)["changes"] if change["action"] == "write"]
        if not writable:
            raise Refused("the plan holds nothing to write; every change is blocked, see `crossdock plan`")
        for change in writable:
            for name in change["fields"]:
                if not mapping.field(change["entity"], name).four_eyes:
                    continue
                others = {
                    "corrected": _correctors(connection, row, change, name),
                    "planned": _planners(connection, row),
                }
                for did, actors in others.items():
                    if actor in actors:
                        raise Refused(f"{change['entity']} {name} needs a second person: {actor} {did} it")
        connection.execute(delete(approval).where(approval.c.hash == row["hash"]))  # from before it was made anew
        connection.execute(insert(approval).values(hash=row["hash"], actor=actor, approved_utc=utc_now()))
        connection.execute(update(plan).where(plan.c.hash == row["hash"]).values(state="approved"))
        append(connection, f"plan {row['hash'][:12]}", row["state"], "approved", actor)
    return {"hash": row["hash"], "state": "approved"}


def usable_plan(connection: Any, plan_hash: str) -> Any:
    """The stored plan of that hash, unaltered, not superseded and not expired; else Refused with what to do."""
    row = plan_row(connection, plan_hash)
    if row is None:
        raise Refused(f"no plan {plan_hash!r} (or not unique); `crossdock plan` shows the current one")
    if digest(body_of(row)) != row["hash"]:
        raise Refused("the stored plan does not match its hash: it was altered; plan again")
    if row["state"] == "superseded":
        raise Refused(
            "a newer plan took this one's place, or its approval was taken back; `crossdock plan` shows the new one"
        )
    if row["state"] != "applied" and row["expires_utc"] < utc_now():
        raise Refused("the plan has expired; plan and approve again")
    return row


def _correctors(connection: Any, row: Any, change: dict[str, Any], name: str) -> set[str]:
    """Everybody who ever asked for this value of this field, also in a correction that was replaced since."""
    desired = change["fields"][name]["desired"]
    found = connection.execute(
        select(correction.c.actor).where(
            correction.c.system == row["system"], correction.c.entity == change["entity"],
            correction.c.key == change["key"], correction.c.field == name,
            correction.c.desired.is_(None) if desired is None else correction.c.desired == desired,
        )
    )  # fmt: skip
    return {one.actor for one in found}


def _planners(connection: Any, row: Any) -> set[str]:
    """Everybody who made this plan; one that had expired may have been made again by somebody else."""
    made = select(transition.c.actor).where(
        transition.c.subject == f"plan {row['hash'][:12]}", transition.c.after == "planned"
    )
    return {row["planned_by"], *connection.execute(made).scalars()}
