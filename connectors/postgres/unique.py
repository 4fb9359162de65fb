"""A declared key that no index of the source proves: whether it tells rows apart is counted here, because of two equal
rows one would be lost, and deleting one would delete both.
"""

from __future__ import annotations

from connectors.landing.commit import Commit
from connectors.landing.tables import log_of, state_of
from connectors.model import quoted
from connectors.postgres.shape import Followed, StreamStopped


def check_unique(commit: Commit, followed: Followed) -> None:
    """After a snapshot. Raises StreamStopped where two rows have one key."""
    state = state_of(commit.system, followed.name)
    key = ", ".join(quoted(name) for name in followed.shape.key)
    found = commit.db.execute(
        f"select {key}, count(*) from {state} group by {key} having count(*) > 1 limit 1"
    ).fetchone()
    if found is not None:
        raise _stopped(commit.system, followed, found[:-1])


def check_still_unique(commit: Commit, followed: Followed) -> None:
    """After a batch: the rows that came under each key it touched, less those that went, are not more than the one
    that stands there. Raises StreamStopped.
    """
    log, state = log_of(commit.system, followed.name), state_of(commit.system, followed.name)
    names = [quoted(name) for name in followed.shape.key]
    key = ", ".join(names)

    def same(one: str, other: str) -> str:  # a null is a value of a key like any other
        return " and ".join(f"{one}.{name} is not distinct from {other}.{name}" for name in names)

    found = commit.db.execute(
        f"""
        with touched as (
            select distinct {key} from {log} where _batch_id = {commit.batch_id} and _op in ('i', 'd')
        ),
        counted as (
            select {key}, sum(case _op when 'd' then -1 when 'u' then 0 else 1 end) as came
            from {log} as l semi join touched as t on {same("l", "t")}
            where l.rowid > coalesce((select max(rowid) from {log} where _op = 't'), -1)
            group by {key}
        )
        select {", ".join(f"c.{name}" for name in names)}
        from counted as c left join (select {key}, 1 as stands from {state}) as s on {same("c", "s")}
        where came > coalesce(stands, 0) limit 1
        """
    ).fetchone()
    if found is not None:
        raise _stopped(commit.system, followed, found)


def _stopped(system: str, followed: Followed, values: tuple[object, ...]) -> StreamStopped:
    names = ", ".join(followed.shape.key)
    return StreamStopped(
        followed.name,
        f"{followed.table} has several rows with one {names} ({', '.join(str(value)[:40] for value in values)}), "
        "which the stream declares as its key.",
        f"Name a key that tells its rows apart, then `crossdock run --snapshot {system}.{followed.name}`.",
        "key",
        followed.shape,
    )
