"""Counts and sums of every column of a stream, by SQL: the same figures in the source and in landing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import duckdb
import psycopg

from connectors.landing.tables import state_of
from connectors.model import Column, quoted
from connectors.postgres.shape import Followed
from connectors.postgres.table import as_text, published_rows

Figures = Mapping[str, Decimal | None]
"""`rows`, and per column `<column> values` and, where it can be summed exactly, `<column> sum`."""


def in_source(connection: psycopg.Connection, followed: Followed, outputs: Mapping[str, str]) -> Figures:
    """One pass over the published rows, in the snapshot of `connection`'s transaction."""
    parts = _parts(followed.columns, lambda column: _source_sum(column, outputs), "numeric")
    query = f"select {', '.join(parts.values())} from {published_rows(followed)}"
    return _figures(parts, connection.execute(query).fetchone())  # type: ignore[call-overload]


def in_landing(db: duckdb.DuckDBPyConnection, system: str, followed: Followed) -> Figures:
    """The same figures of current state."""
    parts = _parts(followed.columns, _landed_sum, "varchar")
    query = f"select {', '.join(parts.values())} from {state_of(system, followed.name)}"
    return _figures(parts, db.execute(query).fetchone())


def _parts(columns: Sequence[Column], sum_of: Callable[[Column], str | None], type_: str) -> dict[str, str]:
    """Figure -> SQL."""
    parts = {"rows": "count(*)"}
    for column in columns:
        parts[f"{column.name} values"] = f"count({quoted(column.name)})"
        if (measure := sum_of(column)) is not None:
            parts[f"{column.name} sum"] = f"({measure})::{type_}"
    return parts


def _figures(names: Sequence[str] | Mapping[str, str], row: tuple[Any, ...] | None) -> Figures:
    assert row is not None
    return {name: None if value is None else Decimal(value) for name, value in zip(names, row, strict=True)}


def _source_sum(column: Column, outputs: Mapping[str, str]) -> str | None:
    name, kind = quoted(column.name), _kind(column.type)
    return {
        "integer": f"sum({name}::int8)",
        "decimal": f"sum({name}::numeric)",
        "date": f"sum(extract(epoch from {name}) / 86400)",
        "instant": f"sum(extract(epoch from {name}) * 1000000)",
        "boolean": f"count(*) filter (where {name})",
        "blob": f"sum(octet_length({name}))",
        "text": f"sum(octet_length(convert_to({as_text(column.name, outputs)}, 'UTF8')))",
    }.get(kind)


def _landed_sum(column: Column) -> str | None:
    name, kind = quoted(column.name), _kind(column.type)
    return {
        "integer": f"sum({name})",
        "decimal": f"sum({name})",
        "date": f"sum(date_diff('day', date '1970-01-01', {name}))",
        "instant": f"sum(epoch_us({name}))",
        "boolean": f"count(*) filter (where {name})",
        "blob": f"sum(octet_length({name}))",
        "text": f"sum(strlen({name}))",
    }.get(kind)


def _kind(type_: str) -> str:
    """What can be summed exactly; floats cannot, since the order of the rows decides their last digits."""
    if type_ in ("smallint", "integer", "bigint"):
        return "integer"
    if type_.startswith("decimal"):
        return "decimal"
    if type_.startswith("timestamp"):
        return "instant"
    return {"varchar": "text"}.get(type_, type_)
