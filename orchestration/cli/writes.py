"""`crossdock correct`, `plan`, `approve`, `apply`, `writes`: the write-back, step by step."""

from collections.abc import Sequence
from typing import Any

from orchestration import writes as steps
from orchestration.cli import systems as connected
from orchestration.cli.errors import BadInput, Failed
from orchestration.cli.output import out, print_json, print_table
from orchestration.control import ledger_fault, looking_at
from orchestration.settings import Settings

DONE = {"acked", "verified"}


def correct(entity: str, key: str, fields: Sequence[str], reason: str, as_json: bool) -> None:
    settings = Settings.from_env()
    wanted = dict(_pair(field) for field in fields)
    system = steps.target_of(connected.needed(settings), entity)
    rows = steps.correct(settings, system, entity, key, wanted, reason)
    _show(rows, "Recorded; `crossdock plan` comes next", as_json)


def plan(as_json: bool) -> None:
    settings = Settings.from_env()
    plans = [steps.plan(settings, system) for system in steps.writable(connected.needed(settings))]
    if as_json:
        print_json(plans[0] if len(plans) == 1 else plans)
        return
    for one in plans:
        rows = [
            {"entity": change["entity"], "key": change["key"], "field": name, **values, "action": change["action"]}
            | {"reason": change["reason"]}
            for change in one["changes"]
            for name, values in change["fields"].items()
        ]
        print_table(f"Plan for {one['system']} ({one['state']})", rows)
        if one["hash"]:
            out().print(f"hash {one['hash']}")


def approve(plan_hash: str, as_json: bool) -> None:
    _show([steps.approve(Settings.from_env(), plan_hash)], "Approved", as_json, single=True)


def apply(plan_hash: str, as_json: bool) -> int:
    """0 when every write of the plan was accepted, else 1; `writes` tells which waits and why."""
    settings = Settings.from_env()
    system = steps.system_of_plan(settings, connected.needed(settings), plan_hash)
    rows = steps.apply(settings, system, plan_hash)
    _show(rows, "Applied", as_json)
    return 0 if all(row["state"] in DONE for row in rows) else 1


def writes(as_json: bool) -> None:
    """Lists; exit status 1 when the ledger was altered, which is said on standard error."""
    settings = Settings.from_env()
    _show(steps.writes(settings), "Writes", as_json)
    with looking_at(settings) as control:
        broken = ledger_fault(control)
    if broken is not None:
        raise Failed(f"the ledger was altered: {broken}")


def accept(reason: str, as_json: bool) -> None:
    title = "Accepted as it stands; what was approved needs `crossdock plan` and a new approval"
    _show([steps.accept(Settings.from_env(), reason)], title, as_json, single=True)


def release(number: int, reason: str, as_json: bool) -> None:
    row = steps.end(Settings.from_env(), number, reason, again=True)
    _show([row], "Released; `crossdock plan` comes next", as_json, single=True)


def abandon(number: int | None, correction: int | None, reason: str, as_json: bool) -> None:
    """Gives up the write, or the correction, that is named."""
    settings = Settings.from_env()
    if number is not None and correction is None:
        row = steps.end(settings, number, reason, again=False)
    elif correction is not None and number is None:
        row = steps.abandon_correction(settings, correction, reason)
    else:
        raise BadInput("name what to abandon: the ID of a write, or --correction with the number of one")
    _show([row], "Abandoned", as_json, single=True)


def _show(rows: list[dict[str, Any]], title: str, as_json: bool, *, single: bool = False) -> None:
    if as_json:
        print_json(rows[0] if single else rows)
    else:
        hidden = {"attempts", "precondition"}
        names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in hidden]
        print_table(title, rows, names)


def _pair(field: str) -> tuple[str, str]:
    name, equals, value = field.partition("=")
    if not equals or not name:
        raise BadInput(f"{field!r} is not FIELD=VALUE, such as unit_price=21.50")
    return name, value
