"""What is looked at before a write leaves: whether it is still wanted, then the record itself."""

import json
from typing import Any, Literal

from sqlalchemy import Connection

from connectors.control.store import utc_now
from connectors.writeback.canonical import canonical_json, digest, printable
from connectors.writeback.ledger import AHEAD, is_wished
from connectors.writeback.mapping import Mapping
from connectors.writeback.observed import Seen
from connectors.writeback.plan import body_of, change_of, desired_of
from connectors.writeback.target import Answer

BLIND = {401, 403, 405}
"""Answers of a target that never lets itself be read: it is written on what landed. Any other may be one of the moment.
"""
Verdict = tuple[Literal["send", "stale", "wait"], str]


def unwanted(connection: Connection, mapping: Mapping, row: Any, plan: Any) -> str | None:
    """Why this write is not to be sent any more, told without asking the target; None when it is."""
    now = utc_now()
    if plan["expires_utc"] < now:
        return "its approval has expired"
    if plan["planned_utc"] > now + AHEAD:
        return "its plan is from the future: the clock was ahead, and nobody knows when it expires"
    if gone := mapping.missing(row["entity"], change_of(plan, row["entity"], row["key"]).get("fields", {})):
        return gone
    if not is_wished(connection, row["system"], row["entity"], row["key"], json.loads(row["fields"])):
        return "the correction was replaced since it was approved"
    return None


def is_as_planned(row: Any, plan: Any) -> bool:
    """Whether a write is what its plan says, and the plan what was approved."""
    change = change_of(plan, row["entity"], row["key"])
    if not change or digest(body_of(plan)) != plan["hash"]:
        return False
    return (row["fields"], row["precondition"]) == (canonical_json(desired_of(change)), change["version"])


def compared(mapping: Mapping, row: Any, plan: Any, landed: Seen | None, now: Answer) -> Verdict:
    """Whether the record is what the plan saw, as it `landed` last and as the target tells it `now`, and why not."""
    planned = change_of(plan, row["entity"], row["key"])["fields"]
    rules = mapping.entity(row["entity"]).fields
    views = {"landed": landed.values} if landed is not None else {}
    if now.status == 200 and now.values is not None:  # values count, also where no version comes with them
        told = now.values
        views["in the target"] = {name: rules[name].told(told.get(name)) for name in planned}
    for where, values in views.items():
        for name, seen in planned.items():
            if values[name] != seen["observed"]:
                is_now, was = printable(values[name]), printable(seen["observed"])
                return "stale", f"{name} is {is_now} {where}, the plan saw {was}: somebody changed it"
    if now.kind == "rejected":
        return "stale", "the record is gone from the target"
    if "in the target" not in views and now.status not in BLIND:
        return "wait", f"the target cannot be read before the write ({now.detail})"
    return "send", ""
