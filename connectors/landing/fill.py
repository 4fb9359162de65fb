"""Values that the source did not send because an update left a large value as it was (Postgres: unchanged TOAST).

They are taken from the row before: in the same batch, else in the current state; after a key change, from the row
under the old key. An explicit null is a value, so the search is by what was sent, not by what is null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from connectors.landing.casts import cast
from connectors.landing.lend import lent
from connectors.model import Column, literal, quoted

STATE_AT, LOG_AT = -2 << 50, -1 << 50  # places of rows from current state, and of rows that an earlier chunk appended


@dataclass(frozen=True)
class Fill:
    """One batch to fill: its stream's relations, its commit, and the landed type of each column."""

    db: duckdb.DuckDBPyConnection
    log: str
    state: str
    batch_id: int
    columns: Sequence[Column]
    types: dict[str, str]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def keys(self) -> list[str]:
        return [column.name for column in self.columns if column.key]


def fill_unchanged(fill: Fill, has_old_key: bool) -> None:
    """Make temp table `_filled` from `_changes` without `_bad`: typed, in order of `_at`, every unchanged value
    filled in.

    A value that nothing before it holds, because its row became a dead letter, stays null; `_unchanged` names it.
    """
    _typed(fill, has_old_key)
    _seeds(fill)
    db = fill.db
    opened = db.execute("select distinct unnest(_open) from _typed").fetchall()
    names = [name for name in fill.names if (name,) in opened]
    with lent(db, "_sources", _sources(fill, names)):
        values = ", ".join(
            f"case when list_contains(t._open, {literal(n)}) then s{names.index(n)}.{quoted(n)} else t.{quoted(n)} end"
            f" as {quoted(n)}"
            if n in names
            else f"t.{quoted(n)}"
            for n in fill.names
        )
        joins = " ".join(f"left join _typed s{i} on s{i}._at = m.s{i}" for i in range(len(names)))
        db.execute(
            f"""
            create or replace temp table _filled as
            select t._at, t._commit_pos, t._ordinal, t._op, t._tx, t._commit_ts, t._unchanged, {values}
            from _typed t left join _sources m on m._at = t._at {joins}
            where t._at > 0
            """
        )
    db.execute("drop table _typed")


def _typed(fill: Fill, has_old_key: bool) -> None:
    """The batch with its values cast, and in `_from<i>` the key under which each row's former values stand."""
    came_from = []
    for i, key in enumerate(fill.keys):
        here = cast(key, fill.types[key])
        there = f"try_cast(_old_key[{i + 1}] as {fill.types[key]})"
        came_from.append(f"{f'if(_old_key is null, {here}, {there})' if has_old_key else here} as _from{i}")
    values = ", ".join(f"{cast(n, fill.types[n])} as {quoted(n)}" for n in fill.names)
    fill.db.execute(
        f"""
        create or replace temp table _typed as
        select
            row_number() over (order by _commit_pos, _ordinal) as _at,
            _commit_pos, _ordinal, _op::varchar as _op, _tx, _commit_ts, _unchanged,
            coalesce(_unchanged, []::varchar[]) as _open, {", ".join(came_from)}, {values}
        from _changes
        where (_commit_pos, _ordinal) not in (select (_commit_pos, _ordinal) from _bad)
        """
    )


def _seeds(fill: Fill) -> None:
    """Add, at negative places, the earlier row of every key that a value may come from."""
    columns = ", ".join(quoted(n) for n in fill.names)
    same = " and ".join(f"t._from{i} = s.{quoted(k)}" for i, k in enumerate(fill.keys))
    wanted = f"exists (select 1 from _typed t where len(t._open) > 0 and {same})"
    newest = ", ".join(quoted(k) for k in fill.keys)
    for place, relation, where in (
        (STATE_AT, fill.state, wanted),
        (
            LOG_AT,
            fill.log,
            f"_batch_id = {fill.batch_id} and _op <> 'd' and {wanted} qualify row_number() over "
            f"(partition by {newest} order by _commit_pos desc, _ordinal desc) = 1",
        ),
    ):
        fill.db.execute(
            f"insert into _typed (_at, _open, {columns}) "
            f"select {place} + row_number() over (), [], {columns} from {relation} s where {where}"
        )


def _sources(fill: Fill, names: Sequence[str]) -> pa.Table:
    """For each row with an open value, per open column, the place of the row that holds it: `_at`, `s0`, `s1`, ...

    Each row points at the one before it under its key, deletes left out because they hold no values; pointers are
    followed by doubling, so that a row updated n times in a batch costs log(n) steps.
    """
    db = fill.db
    flags = ", ".join(f"list_contains(_open, {literal(n)}) as open{i}" for i, n in enumerate(names))
    rows = db.execute(f"select _at, {flags} from _typed order by _at").fetchnumpy()
    same = " and ".join(f"a._from{i} = b.{quoted(k)}" for i, k in enumerate(fill.keys))
    before = db.execute(
        f"select a._at, b._at as before from (select * from _typed where len(_open) > 0) a "
        f"asof join (select * from _typed where _op is distinct from 'd') b on {same} and b._at < a._at"
    ).fetchnumpy()
    at = rows["_at"]
    previous = np.arange(len(at))
    previous[np.searchsorted(at, before["_at"])] = np.searchsorted(at, before["before"])
    found = {"_at": pa.array(at)}
    for i in range(len(names)):
        source = np.where(rows[f"open{i}"], previous, np.arange(len(at)))
        while not np.array_equal(following := source[source], source):
            source = following
        found[f"s{i}"] = pa.array(at[source])
    return pa.table(found)
