"""A dead letter ends by itself when its record lands after all: by a later change of the same key, or by a copy of the
whole stream.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import duckdb

from connectors.landing.casts import cast
from connectors.landing.tables import log_of
from connectors.model import Column, quoted
from connectors.size import is_cut


def close_before(db: duckdb.DuckDBPyConnection, batch_id: int, stream: str, position: int) -> None:
    """Close the letters of `stream` from before a snapshot at `position`: what is still wrong comes again with it."""
    _close(db, batch_id, [id_ for id_, at, *_ in _open(db, stream) if at < position])


def close_landed(
    db: duckdb.DuckDBPyConnection, batch_id: int, system: str, stream: str, columns: Sequence[Column]
) -> None:
    """Close the letters of `stream` whose key has a later change, or a truncate, among the rows of this batch. A change
    that leaves out a value which the letter may hold (unchanged, so not sent) does not end it: that value is nowhere
    else.
    """
    letters = _open(db, stream)
    if not letters:
        return
    keys = [column for column in columns if column.key]
    known = [
        (id_, at, ordinal, _held(values[1]), row)
        for id_, at, ordinal, values in letters
        if (row := _key_of(values, [c.name for c in keys])) is not None
    ]
    if not known:
        return
    fields = ", ".join(
        [
            "_letter varchar",
            "_at bigint",
            "_at_ordinal bigint",
            "_held varchar[]",
            *(f"{quoted(c.name)} varchar" for c in keys),
        ]
    )
    db.execute(f"create or replace temp table _letters ({fields})")
    marks = ", ".join("?" for _ in range(4 + len(keys)))
    db.executemany(
        f"insert into _letters values ({marks})",
        [[id_, at, ordinal, held, *row] for id_, at, ordinal, held, row in known],
    )
    same = " and ".join(f"n.{quoted(c.name)} = {cast(c.name, c.type, 'l.')}" for c in keys)
    log = f"(from {log_of(system, stream)} where _batch_id = {batch_id})"  # a moved row's values follow its delete
    ended = db.execute(
        f"""
        select distinct l._letter from _letters l join {log} n
            on (n._op = 't' or {same}) and (n._commit_pos, n._ordinal) > (l._at, l._at_ordinal)
        left join {log} m
            on n._op = 'd' and m._op = 'i' and m._unchanged is not null
            and (m._commit_pos, m._ordinal) = (n._commit_pos, n._ordinal + 1)
        where not list_has_any(
            coalesce(n._unchanged, m._unchanged, []), coalesce(l._held, n._unchanged, m._unchanged, [])
        )
        """
    ).fetchall()
    db.execute("drop table _letters")
    _close(db, batch_id, [row[0] for row in ended])


def _key_of(values: tuple[str | None, dict[str, Any]], names: Sequence[str]) -> list[str] | None:
    """The text of each key column: from the row, or from the key where only that is kept."""
    key, row = values
    if all(isinstance(row.get(name), str) for name in names):
        return [row[name] for name in names]
    parts = [key or ""] if len(names) == 1 else (key or "").split("|")
    return parts if key and len(parts) == len(names) else None


def _held(row: dict[str, Any]) -> list[str] | None:
    """The columns whose values the letter holds; None where the row is not kept."""
    return [name for name, value in row.items() if value is not None] if row else None


def _open(db: duckdb.DuckDBPyConnection, stream: str) -> list[tuple[str, int, int, tuple[str | None, dict[str, Any]]]]:
    """The open letters of a stream of table rows: id, position, ordinal, and the key with the row as far as kept."""
    rows = db.execute(
        "select id, try_cast(position as bigint), coalesce(ordinal, 0), key, raw from _land.dead_letter "
        "where stream = ? and state = 'open' and try_cast(position as bigint) is not null",
        [stream],
    ).fetchall()
    return [(id_, at, ordinal, (key, _row(raw))) for id_, at, ordinal, key, raw in rows]


def _row(raw: bytes | None) -> dict[str, Any]:
    if raw is None or is_cut(bytes(raw)):
        return {}
    try:
        found = json.loads(bytes(raw))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _close(db: duckdb.DuckDBPyConnection, batch_id: int, ids: Sequence[str]) -> None:
    if ids:
        db.execute(
            "update _land.dead_letter set state = 'resolved', resolved_by = ? where id in (select unnest(?))",
            [f"batch {batch_id}", list(ids)],
        )
