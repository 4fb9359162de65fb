"""Current state from the log: applied batch by batch, rebuilt from nothing, and compared.

The same three statements serve landing and the warehouse. State is made by DELETE and INSERT: MERGE and UPDATE rewrite row groups and cost
10 to 50 times as much in DuckDB. Rows enter a log in order of (_generation, _commit_pos, _ordinal), so a later row has a higher rowid.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from connectors.landing.tables import STATE_META
from connectors.model import Column, quoted


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
    """The query for the rows that the log rows matching `where` leave: the last change of each key unless it is a delete."""
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
    db.execute(f"insert into {state} ({_names(columns)}) {latest(log, columns, where)}")


def rebuild(db: duckdb.DuckDBPyConnection, log: str, state: str, columns: Sequence[Column]) -> None:
    """Throw `state` away and make it again from the whole log."""
    _, where = after_truncate(db, log, "true")
    db.execute(f"delete from {state}")
    db.execute(f"insert into {state} ({_names(columns)}) {latest(log, columns, where)}")


def compare(db: duckdb.DuckDBPyConnection, stream: str, log: str, state: str, columns: Sequence[Column]) -> StateCheck:
    """What a rebuild would add to and take from `state`, without changing it."""
    _, where = after_truncate(db, log, "true")
    wanted, have = latest(log, columns, where), f"select {_names(columns)} from {state}"
    counts = [
        db.execute(f"select count(*) from (({first}) except all ({second}))").fetchone() or (0,)
        for first, second in ((wanted, have), (have, wanted))
    ]
    return StateCheck(stream, missing=counts[0][0], extra=counts[1][0])


def duplicates(db: duckdb.DuckDBPyConnection, log: str) -> int:
    """Log rows beyond the first with the same (_generation, _commit_pos, _ordinal): always 0, or a commit was repeated."""
    row = db.execute(
        f"select count(*) - count(distinct (_generation, _commit_pos, _ordinal)) from {log}"
    ).fetchone()
    return row[0] if row else 0
