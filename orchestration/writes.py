"""Write-back commands of a home: who is the target of an entity, and the steps of `connectors.writeback` on it.

Thin on purpose: every rule (three-way comparison, guards, approval by hash, doubt) is in `connectors.writeback`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestration.control import deciding_on, keeping_of, looking_at
from orchestration.settings import Settings

OPEN = ("approved", "throttled", "sent", "in_doubt")


class NoTarget(Exception):
    """No connected system takes this write; the message says which entities can be written."""


def target_of(systems: Sequence[Any], entity: str) -> Any:
    """The system that declares `entity` writable. Raises NoTarget naming those that are."""
    for system in systems:
        if system.write is not None and entity in system.write.entities:
            return system
    known = sorted({name for system in systems if system.write is not None for name in system.write.entities})
    raise NoTarget(f"no connected system takes writes of {entity!r}; writable: {', '.join(known) or 'nothing'}")


def writable(systems: Sequence[Any]) -> list[Any]:
    return [system for system in systems if system.write is not None]


def correct(
    settings: Settings, system: Any, entity: str, key: str, fields: Mapping[str, Any], reason: str
) -> list[dict[str, Any]]:
    """Records a steward's correction. Raises the connectors' Refused with what to do."""
    from connectors.writeback import correct as record
    from connectors.writeback.mapping import load_mapping
    from connectors.writeback.observed import open_observed

    mapping = load_mapping()
    with (
        deciding_on(settings) as control,
        open_observed(_landing(settings, system), system.system, mapping) as observed,
    ):
        return record(control, mapping, observed, system.system, entity, key, dict(fields), reason)


def plan(settings: Settings, system: Any) -> dict[str, Any]:
    """The plan of every open correction of a system: verified, observed, desired per field, and its hash."""
    from connectors.writeback import plan as make
    from connectors.writeback.mapping import load_mapping
    from connectors.writeback.observed import open_observed

    mapping = load_mapping()
    with (
        deciding_on(settings) as control,
        open_observed(_landing(settings, system), system.system, mapping) as observed,
    ):
        return make(control, mapping, observed, system.system)


def approve(settings: Settings, plan_hash: str) -> dict[str, Any]:
    from connectors.writeback import approve as agree
    from connectors.writeback.mapping import load_mapping

    with deciding_on(settings) as control:
        return agree(control, load_mapping(), plan_hash)


def apply(settings: Settings, system: Any, plan_hash: str) -> list[dict[str, Any]]:
    """Sends what the approved plan says; one row per write with its state."""
    from connectors.writeback import apply as push
    from connectors.writeback.mapping import load_mapping
    from connectors.writeback.observed import open_observed

    mapping = load_mapping()
    with (
        deciding_on(settings) as control,
        open_observed(_landing(settings, system), system.system, mapping) as observed,
        _target(system) as target,
    ):
        return push(control, mapping, target, plan_hash, system=system.system, newest=observed.newest)


def end(settings: Settings, number: int, reason: str, *, again: bool) -> dict[str, Any]:
    """Releases a write, so that it is planned `again`, or abandons it. Raises the connectors' Refused."""
    from connectors.writeback import abandon, release
    from connectors.writeback.mapping import load_mapping

    with deciding_on(settings) as control:
        return release(control, number, reason) if again else abandon(control, load_mapping(), number, reason)


def abandon_correction(settings: Settings, number: int, reason: str) -> dict[str, Any]:
    """Gives up a correction that no open write carries. Raises the connectors' Refused."""
    from connectors.writeback import abandon_correction as give_up
    from connectors.writeback.mapping import load_mapping

    with deciding_on(settings) as control:
        return give_up(control, load_mapping(), number, reason)


def verify(settings: Settings, system: Any) -> list[dict[str, Any]]:
    """Recognises our own writes in what landed; a no-op when none is waiting, and on a ledger that was altered, which
    every command that decides says: what landed is landed."""
    from connectors.control.keeping import NoKey
    from connectors.writeback import verify as look
    from connectors.writeback.errors import Refused
    from connectors.writeback.mapping import load_mapping
    from connectors.writeback.observed import open_observed

    with looking_at(settings) as control:
        if not any(row["state"] == "acked" for row in _intents(control, system.system)):
            return []
    mapping = load_mapping()
    try:
        with (
            deciding_on(settings) as control,
            open_observed(_landing(settings, system), system.system, mapping) as observed,
        ):
            return look(control, mapping, observed, system.system)
    except (Refused, NoKey):
        return []


def accept(settings: Settings, reason: str) -> dict[str, Any]:
    """Goes on with a ledger that was altered, cut short, or is missing, as it stands; approvals are taken back."""
    from connectors.control import open_control
    from connectors.writeback.restored import accept as take

    outside = "://" in settings.control
    is_missing = not outside and not Path(settings.control).exists()
    control = open_control(settings.control, keeping=keeping_of(settings), anew=True)
    try:
        control.check_pages()
        found, withdrawn = take(control, reason, "the control store was missing" if is_missing else None)
    finally:
        control.close()
    return {"accepted": found, "reason": reason, "approvals_taken_back": withdrawn}


def writes(settings: Settings) -> list[dict[str, Any]]:
    """Every correction and write with its state, also of a ledger that was altered."""
    from connectors.writeback import writes as listing

    with looking_at(settings) as control:
        return listing(control)


def system_of_plan(settings: Settings, systems: Sequence[Any], plan_hash: str) -> Any:
    """The system a plan is for; the first writable one when the hash is unknown, so that apply itself explains.

    Raises NoTarget when that system takes no writes, or not any more: no other one is written in its place.
    """
    from connectors.writeback.ledger import plan_row

    with looking_at(settings) as control, control.transaction() as connection:
        row = plan_row(connection, plan_hash)
    candidates = writable(systems)
    if not candidates:
        raise NoTarget("no connected system takes writes: none of the system files has a `write` part")
    if row is None:
        return candidates[0]
    for system in candidates:
        if system.system == row["system"]:
            return system
    raise NoTarget(f"the plan is for {row['system']}, which takes no writes: its system file has no `write` part")


def waiting(settings: Settings, system: str | None = None) -> list[str]:
    """Hashes of plans with something to send or to settle: approved and not applied, or applied with writes left
    open."""
    from sqlalchemy import and_, or_, select

    from connectors.control.store import utc_now
    from connectors.control.tables import intent
    from connectors.control.tables import plan as plans

    left = select(intent.c.plan_hash).where(intent.c.state.in_(OPEN))
    query = (
        select(plans.c.hash)
        .where(or_(and_(plans.c.state == "approved", plans.c.expires_utc > utc_now()), plans.c.hash.in_(left)))
        .order_by(plans.c.planned_utc)
    )
    if system is not None:
        query = query.where(plans.c.system == system)
    with looking_at(settings) as control, control.transaction() as connection:
        return list(connection.execute(query).scalars())


def push_approved(settings: Settings, system: Any) -> dict[str, int]:
    """Applies every waiting plan of a system; returns how many writes are in which state afterwards.

    A plan that is refused holds up no other; how many were is counted too.
    """
    from connectors.writeback.errors import Refused

    with deciding_on(settings):
        counts: dict[str, int] = {"plans": 0}
    for plan_hash in waiting(settings, system.system):
        counts["plans"] += 1
        try:
            rows = apply(settings, system, plan_hash)
        except Refused:
            counts["refused"] = counts.get("refused", 0) + 1
            continue
        for row in rows:
            counts[row["state"]] = counts.get(row["state"], 0) + 1
    return counts


def _landing(settings: Settings, system: Any) -> Any:
    return settings.landing / f"{system.system}.duckdb"


@contextmanager
def _target(system: Any) -> Iterator[Any]:
    from connectors.writeback.errors import Refused
    from connectors.writeback.target import HttpTarget

    write = system.write
    try:
        verify = write.verification()
    except OSError as error:
        raise Refused(
            f"the TLS files of {system.system} cannot be used ({type(error).__name__}); see `write` in its system file"
        ) from None
    target = HttpTarget(write.base_url, write.headers(), _mapping(), write.timeout.total_seconds(), verify)
    try:
        yield target
    finally:
        target.close()


def _mapping() -> Any:
    from connectors.writeback.mapping import load_mapping

    return load_mapping()


def _intents(control: Any, system: str) -> list[Any]:
    from sqlalchemy import select

    from connectors.control.tables import intent

    with control.transaction() as connection:
        return list(connection.execute(select(intent).where(intent.c.system == system)).mappings())
