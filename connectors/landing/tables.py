"""The tables of a landing file: `_land` for bookkeeping, and per stream an append-only log and its current state.

`raw_<system>."<stream>__log"` is the truth, ordered by (_generation, _commit_pos, _ordinal);
`raw_<system>."<stream>"` is a cache of it without a primary-key index, because deletes and inserts in DuckDB are many
times cheaper without one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

import duckdb

from connectors.model import Column, quoted

LOG_META = {
    "_generation": "integer",
    "_commit_pos": "bigint",
    "_ordinal": "bigint",
    "_op": "varchar",
    "_tx": "bigint",
    "_commit_ts": "timestamp",
    "_batch_id": "bigint",
    "_unchanged": "varchar[]",
}
STATE_META = ("_commit_pos", "_ordinal", "_batch_id", "_commit_ts")
OURS = frozenset({*LOG_META, "_old_key", "_at", "_open", "_names", "_letter", "_at_ordinal", "_held"})
"""Names that a column of a stream cannot have, and `_from` with a number: the log and its making need them."""
UNTIL = "__until_v"
DOCUMENT = (Column("doc_key", "varchar", key=True), Column("doc", "varchar"), Column("updated_at_raw", "varchar"))

CONTROL = """
create schema if not exists _land;
create table if not exists _land.cursor (
    stream varchar, position varchar, phase varchar, generation integer, updated_at timestamp,
);
create table if not exists _land.batch (
    batch_id bigint, stream varchar, from_pos varchar, to_pos varchar, rows bigint, bytes bigint, dead bigint,
    schema_version integer, correlation_id varchar, source_time_utc timestamp, started_at timestamp,
    committed_at timestamp, per_stream varchar,
);
create table if not exists _land.schema_version (
    stream varchar, version integer, columns varchar, effective_pos varchar,
);
create table if not exists _land.dead_letter (
    id varchar, stream varchar, key varchar, position varchar, ordinal bigint, reason varchar, raw blob, state varchar,
    attempts integer, first_seen timestamp, resolved_by varchar,
);
create table if not exists _land.followed (
    stream varchar, shape varchar, start_pos varchar, stopped_by varchar, reason varchar, way_out varchar,
    complete_up_to timestamp,
);
"""


def schema_of(system: str) -> str:
    return f"raw_{system}"


def log_of(system: str, stream: str) -> str:
    return quoted(schema_of(system), f"{stream}__log")


def state_of(system: str, stream: str) -> str:
    return quoted(schema_of(system), stream)


def create_control(db: duckdb.DuckDBPyConnection, system: str) -> None:
    """Make what every landing file has, all of it or nothing."""
    db.execute(f"begin; {CONTROL} create schema if not exists {quoted(schema_of(system))}; commit")


def create_stream(
    db: duckdb.DuckDBPyConnection, system: str, stream: str, columns: Sequence[Column], catalog: str = ""
) -> None:
    """Create the two relations of a stream; `catalog` prefixes them when they belong to an attached or other
    database.
    """
    at = f"{quoted(catalog)}." if catalog else ""
    meta = ", ".join(f"{name} {type_}" for name, type_ in LOG_META.items())
    data = ", ".join(f"{quoted(c.name)} {c.type}" for c in columns)
    tail = ", ".join(f"{name} {LOG_META[name]}" for name in STATE_META)
    db.execute(f"create table if not exists {at}{log_of(system, stream)} ({meta}, {data})")
    db.execute(f"create table if not exists {at}{state_of(system, stream)} ({data}, {tail})")


def landed_columns(
    db: duckdb.DuckDBPyConnection, stream: str, control: str = "_land"
) -> tuple[int, tuple[Column, ...]]:
    """The latest schema version of a stream and its columns; (0, ()) for a stream that never landed."""
    row = db.execute(
        f"select version, columns from {control}.schema_version where stream = ? order by version desc limit 1",
        [stream],
    ).fetchone()
    return (0, ()) if row is None else (row[0], tuple(Column(**column) for column in json.loads(row[1])))


def record_version(
    db: duckdb.DuckDBPyConnection, stream: str, version: int, columns: Sequence[Column], effective_pos: str | None
) -> None:
    described = json.dumps([{"name": c.name, "type": c.type, "key": c.key} for c in columns])
    db.execute("insert into _land.schema_version values (?, ?, ?, ?)", [stream, version, described, effective_pos])


def _decimal(type_: str) -> tuple[int, int] | None:
    text = type_.lower().replace(" ", "")
    if not text.startswith("decimal("):
        return None
    precision, scale = text[8:-1].split(",")
    return int(precision), int(scale)


def widened(old: Column, new: Column) -> str | None:
    """The type that holds both the landed and the newly declared values exactly; None when there is none, because a
    cast that fails or rounds would change what was landed.
    """
    before, after = old.type.lower(), new.type.lower()
    integers = ["smallint", "integer", "bigint"]
    if before == after:
        return old.type
    if before in integers and after in integers:
        return integers[max(integers.index(before), integers.index(after))]
    first, second = _decimal(before), _decimal(after)
    if first and second:
        scale = max(first[1], second[1])
        precision = max(first[0] - first[1], second[0] - second[1]) + scale
        if precision <= 38:
            return f"decimal({precision},{scale})"
    if {before, after} == {"float", "double"}:
        return "double"
    if before == "varchar":
        return "varchar"
    return None


def is_ours(name: str) -> bool:
    """Whether a column of a stream cannot have this name: see OURS."""
    return name.lower() in OURS or re.fullmatch(r"_from\d+", name.lower()) is not None


def respell(
    db: duckdb.DuckDBPyConnection, relations: Sequence[str], names: Iterable[str], columns: Sequence[Column]
) -> dict[str, str]:
    """Call what differs from one of `columns` in upper and lower case alone, which is one name to DuckDB, as that is
    called; returns the new name of each of `names`.
    """
    now = {column.name.lower(): column.name for column in columns}
    found = {name: now.get(name.lower(), name) for name in names}
    for old, new in found.items():
        for relation in relations if old != new else ():
            db.execute(f"alter table {relation} rename column {quoted(old)} to {quoted(new)}")
    return found


def evolve(
    db: duckdb.DuckDBPyConnection, system: str, stream: str, columns: Sequence[Column], effective_pos: str | None
) -> tuple[int, tuple[Column, ...]]:
    """Make the stream's relations hold `columns`: an added column is a nullable add, a wider type widens, a dropped
    column is kept. A column whose new type does not hold the landed values becomes a new column; the former one stays
    in the log as `<name>__until_v<version>`.

    Returns the schema version in force and all landed columns. Part of the caller's transaction.
    """
    version, landed = landed_columns(db, stream)
    if not version:
        create_stream(db, system, stream, columns)
        record_version(db, stream, 1, columns, effective_pos)
        return 1, tuple(columns)
    relations = (log_of(system, stream), state_of(system, stream))
    names = respell(db, relations, [c.name for c in landed], columns)
    keys = {c.name for c in columns if c.key}
    result = {names[c.name]: Column(names[c.name], c.type, names[c.name] in keys) for c in landed}
    for column in columns:
        old = result.pop(column.name, None)
        type_ = widened(old, column) if old is not None else column.type
        if old is not None and type_ is None:
            aside = f"{column.name}{UNTIL}{version + 1}"
            result[aside] = Column(aside, old.type)
        result[column.name] = Column(column.name, type_ or column.type, column.key)
        for relation in relations:
            if old is not None and type_ is None:
                db.execute(f"alter table {relation} rename column {quoted(column.name)} to {quoted(aside)}")
            if old is None or type_ is None:
                db.execute(f"alter table {relation} add column {quoted(column.name)} {column.type}")
            elif old.type.lower() != type_.lower():
                db.execute(f"alter table {relation} alter column {quoted(column.name)} type {type_}")
    merged = tuple(result.values())
    if sorted(merged, key=lambda c: c.name) != sorted(landed, key=lambda c: c.name):
        version += 1
        record_version(db, stream, version, merged, effective_pos)
        return version, merged
    return version, landed
