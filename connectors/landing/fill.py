"""Values that Postgres did not send because an update left a large value as it was (unchanged TOAST).

They are filled from the row before: in the same batch, else in the current state; after a key change, from the row under the old
key. An explicit null is a value, so the search is by what was sent, not by what is null.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.landing.casts import cast
from connectors.landing.tables import log_of, state_of
from connectors.model import quoted

if TYPE_CHECKING:
    from connectors.landing.changes import Changes
    from connectors.landing.commit import Commit


def fill_unchanged(commit: Commit, batch: Changes, types: dict[str, str]) -> str:
    """Make temp table `_filled` from `_changes`: typed, with every unchanged value filled in; returns its name.

    Rows whose values do not fit their types are left out and become dead letters first, so that they are never a source of values.
    """
    from connectors.landing.changes import bad_values, dead_of_table  # the two halves of one step

    db, names = commit.db, [c.name for c in batch.columns]
    keys = [c.name for c in batch.columns if c.key]
    log, state = log_of(commit.system, batch.stream), state_of(commit.system, batch.stream)
    db.execute(
        f"create or replace temp table _bad as select *, {bad_values(names, types)} as _names from _changes where len(_names) > 0"
    )
    commit.dead.extend(dead_of_table(db, batch, "_bad"))
    has_old = "_old_key" in batch.table.column_names
    old = [
        f"case when _old_key is null then {cast(k, types[k])} else try_cast(_old_key[{i + 1}] as {types[k]}) end as _from{i}"
        if has_old else f"{cast(k, types[k])} as _from{i}"
        for i, k in enumerate(keys)
    ]
    values = ", ".join(f"{cast(n, types[n])} as {quoted(n)}" for n in names)
    db.execute(
        f"""
        create or replace temp table _filled as
        select
            row_number() over (order by _commit_pos, _ordinal) as _at, _commit_pos, _ordinal, _op, _tx, _commit_ts, _unchanged,
            {values}, {', '.join(old)}, coalesce(_unchanged, []::varchar[]) as _open
        from _changes
        where (_commit_pos, _ordinal) not in (select (_commit_pos, _ordinal) from _bad)
        """
    )
    db.execute("drop table _bad")
    _seed_from_before(commit, names, keys, log, state)
    match = " and ".join(f"a._from{i} = b.{quoted(k)}" for i, k in enumerate(keys))
    while True:
        open_rows = (db.execute("select count(*) from _filled where len(_open) > 0").fetchone() or (0,))[0]
        if not open_rows:
            break
        sets = ", ".join(
            f"{quoted(n)} = case when list_contains(_filled._open, {_text(n)}) then p.{quoted(n)} else _filled.{quoted(n)} end" for n in names
        )
        previous = ", ".join(f"b.{quoted(n)}" for n in names)
        db.execute(
            f"""
            update _filled set {sets}, _open = []
            from (
                select a._at, b._open as _still, {previous}
                from (select * from _filled where len(_open) > 0) a asof join _filled b on {match} and b._at < a._at
            ) p
            where p._at = _filled._at and len(p._still) = 0
            """
        )
        left = (db.execute("select count(*) from _filled where len(_open) > 0").fetchone() or (0,))[0]
        if left == open_rows:  # nothing before them anywhere: the values are unknown, and _unchanged says so
            db.execute("update _filled set _open = []")
    db.execute("delete from _filled where _at < 0")
    return "_filled"


def _seed_from_before(commit: Commit, names: list[str], keys: list[str], log: str, state: str) -> None:
    """Add, with negative `_at`, the newest earlier row of every key that an unchanged value may come from."""
    db = commit.db
    columns = ", ".join(quoted(n) for n in names)
    match = " and ".join(f"f._from{i} = s.{quoted(k)}" for i, k in enumerate(keys))
    wanted = f"exists (select 1 from _filled f where len(f._open) > 0 and {match})"
    db.execute(
        f"""
        insert into _filled (_at, _op, _open, {columns})
        select -2, 'r', [], {columns} from {state} s where {wanted}
        """
    )
    db.execute(  # rows of this batch that an earlier chunk appended already
        f"""
        insert into _filled (_at, _op, _open, {columns})
        select -1, _op, [], {columns}
        from {log} s
        where _batch_id = {commit.batch_id} and {wanted}
        qualify row_number() over (partition by {', '.join(quoted(k) for k in keys)} order by _commit_pos desc, _ordinal desc) = 1
        """
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
