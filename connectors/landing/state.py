"""Current state from the log: applied batch by batch, rebuilt from nothing, and compared.

The same three statements serve landing and the warehouse. State is made by DELETE and INSERT: MERGE and UPDATE
rewrite row groups and cost 10 to 50 times as much in DuckDB. Rows enter a log in order of (_generation, _commit_pos,
_ordinal), so a later row has a higher rowid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from connectors.landing.tables import STATE_META
from connectors.model import Column, quoted

SNAPSHOT = "r"


@dataclass(frozen=True)
class StateCheck:
    """How a stream's state differs from its log, in rows."""

    stream: str
    missing: int
    extra: int

    @property
    def ok(self) -> bool:
        return not (self.missing or self.extra)


def _names(columns: Sequence[Column]) -> str:
    return ", ".join([*(quoted(c.name) for c in columns), *STATE_META])


def _keys(columns: Sequence[Column], alias: str = "") -> list[str]:
    return [alias + quoted(c.name) for c in columns if c.key]


def latest(log: str, columns: Sequence[Column], where: str) -> str:
    """The query for the rows that the log rows matching `where` leave: the last change of each key unless it is a
    delete.
    """
    key = ", ".join(_keys(columns))
    return f"""
        select {_names(columns)}
        from {log}
        where rowid in (select max(rowid) from {log} where {where} group by {key}) and _op <> 'd'
    """


def after_truncate(db: duckdb.DuckDBPyConnection, log: str, where: str) -> tuple[bool, str]:
    """Whether a truncate is among the matching rows, and the condition for those behind the last one."""
    last = db.execute(f"select max(rowid) from {log} where {where} and _op = 't'").fetchone()
    if last is None or last[0] is None:
        return False, where
    return True, f"{where} and rowid > {last[0]}"


def apply(db: duckdb.DuckDBPyConnection, log: str, state: str, columns: Sequence[Column], where: str) -> None:
    """Bring `state` up to the log rows that match `where`, which must be the newest ones."""
    truncated, where = after_truncate(db, log, where)
    if truncated:
        db.execute(f"delete from {state}")
    else:
        key = ", ".join(_keys(columns))
        row = key if len(_keys(columns)) == 1 else f"({key})"
        db.execute(f"delete from {state} where {row} in (select {row} from {log} where {where})")
        if row == key:  # several columns are compared as a whole, in which nulls are equal
            nulls = f"select 1 from {log} where {where} and {key} is null"
            db.execute(f"delete from {state} where {key} is null and exists ({nulls})")
    db.execute(f"insert into {state} ({_names(columns)}) {latest(log, columns, where)}")


def replace_by_snapshot(
    db: duckdb.DuckDBPyConnection, log: str, state: str, columns: Sequence[Column], where: str
) -> None:
    """Make `state` the snapshot rows of the log that match `where`: each key occurs once in a snapshot, so there is
    nothing to search.
    """
    db.execute(f"delete from {state}")
    db.execute(f"insert into {state} ({_names(columns)}) select {_names(columns)} from {log} where {where}")


def from_log(log: str, columns: Sequence[Column]) -> str:
    """The query for current state by the log's ordering key alone, independent of how and when rows were appended."""
    key = ", ".join(_keys(columns))
    return f"""
        with placed as (
            select *, struct_pack(g := _generation, p := _commit_pos, o := _ordinal) as place from {log}
        ),
        truncated as (select max(place) as last_place from placed where _op = 't')
        select {_names(columns)}
        from (
            select * from placed, truncated
            where _op <> 't' and (last_place is null or place > last_place)
            qualify row_number() over (partition by {key} order by place desc) = 1
        )
        where _op <> 'd'
    """


def rebuild(db: duckdb.DuckDBPyConnection, log: str, state: str, columns: Sequence[Column]) -> None:
    """Throw `state` away and make it again from the whole log."""
    db.execute(f"delete from {state}")
    db.execute(f"insert into {state} ({_names(columns)}) {from_log(log, columns)}")


def compare(db: duckdb.DuckDBPyConnection, stream: str, log: str, state: str, columns: Sequence[Column]) -> StateCheck:
    """What a rebuild would add to and take from `state`, without changing it."""
    wanted, have = from_log(log, columns), f"select {_names(columns)} from {state}"
    missing, extra = (
        (db.execute(f"select count(*) from (({first}) except all ({second}))").fetchone() or (0,))[0]
        for first, second in ((wanted, have), (have, wanted))
    )
    return StateCheck(stream, missing, extra)


def duplicates(db: duckdb.DuckDBPyConnection, log: str) -> int:
    """Log rows beyond the first with the same (_generation, _commit_pos, _ordinal): always 0, or a commit was
    repeated.
    """
    row = db.execute(f"select count(*) - count(distinct (_generation, _commit_pos, _ordinal)) from {log}").fetchone()
    return row[0] if row else 0
