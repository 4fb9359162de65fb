"""Control totals: counts and sums of every column, in the source and in landing at one position. Equal totals do not
prove that rows are equal; other totals prove that they are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import duckdb
import psycopg

from connectors.landing.tables import state_of
from connectors.model import Column, quoted
from connectors.postgres.shape import Followed
from connectors.postgres.table import as_text, published_rows

Figures = Mapping[str, Decimal | None]


@dataclass(frozen=True)
class Total:
    """One stream: `there` and `here` are the source's and landing's figures by name (`rows`, `<column> values`,
    `<column> sum`), empty where they were not compared and `why_not` says why.
    """

    stream: str
    there: Figures = field(default_factory=dict)
    here: Figures = field(default_factory=dict)
    why_not: str = ""

    @property
    def differences(self) -> list[str]:
        """Each figure that is not the same, in words."""
        return [
            f"{name}: {self.there[name]} in the source, {self.here.get(name)} here"
            for name in self.there
            if self.there[name] != self.here.get(name)
        ]


def in_source(connection: psycopg.Connection, followed: Followed, outputs: Mapping[str, str]) -> Figures:
    """One pass over the published rows, in the snapshot of `connection`'s transaction."""
    names, parts = ["rows"], ["count(*)"]
    for column in followed.columns:
        names.append(f"{column.name} values")
        parts.append(f"count({quoted(column.name)})")
        if (measure := _source_sum(column, outputs)) is not None:
            names.append(f"{column.name} sum")
            parts.append(f"({measure})::numeric")
    row = connection.execute(f"select {', '.join(parts)} from {published_rows(followed)}").fetchone()  # type: ignore[call-overload]
    assert row is not None
    return {name: None if value is None else Decimal(value) for name, value in zip(names, row, strict=True)}


def in_landing(db: duckdb.DuckDBPyConnection, system: str, followed: Followed) -> Figures:
    """The same figures of current state."""
    names, parts = ["rows"], ["count(*)"]
    for column in followed.columns:
        names.append(f"{column.name} values")
        parts.append(f"count({quoted(column.name)})")
        if (measure := _landed_sum(column)) is not None:
            names.append(f"{column.name} sum")
            parts.append(f"({measure})::varchar")
    row = db.execute(f"select {', '.join(parts)} from {state_of(system, followed.name)}").fetchone()
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


def compared(
    db: duckdb.DuckDBPyConnection,
    system: str,
    there: Sequence[tuple[Followed, Figures]],
    not_followed: Mapping[str, str],
) -> list[Total]:
    """The totals of these streams, landing standing where the source did. A stream with open dead letters lacks rows by
    intent, so it is not compared.
    """
    found = []
    for followed, figures in there:
        dead = db.execute(
            "select count(*) from _land.dead_letter where stream = ? and state = 'open'", [followed.name]
        ).fetchone()
        if dead and dead[0]:
            found.append(Total(followed.name, why_not=f"{dead[0]} dead letters are open"))
        elif followed.name not in not_followed:
            found.append(Total(followed.name, figures, in_landing(db, system, followed)))
    return found + [Total(name, why_not=reason) for name, reason in not_followed.items()]
