"""Postgres types to DuckDB types. What DuckDB cannot hold exactly stays text."""

from __future__ import annotations

EXACT = {
    16: "boolean",
    17: "blob",
    20: "bigint",
    21: "smallint",
    23: "integer",
    26: "bigint",
    700: "float",
    701: "double",
    1082: "date",
    1083: "time",
    1114: "timestamp",
    1184: "timestamp with time zone",
    2950: "uuid",
}
"""Built-in type oids (pg_type.dat). Arrays, enums, ranges, json, interval and money arrive and stay as text."""

NUMERIC = 1700
MOST_DIGITS = 38
INSTANTS = {"date", "timestamp", "timestamp with time zone"}
"""Types in which 'infinity' and years before 1 AD have a text that DuckDB reads as something else."""


def duckdb_type(oid: int, modifier: int) -> str:
    """The DuckDB type of a column from its type's oid and modifier (pg_attribute.atttypid, atttypmod).

    numeric(p, s) is decimal(p, s) up to 38 digits; numeric without a scale, or a wider one, stays text.
    """
    if oid == NUMERIC:
        precision, scale = ((modifier - 4) >> 16) & 0xFFFF, (modifier - 4) & 0x7FF
        scale = scale - 2048 if scale > 1023 else scale
        if modifier < 4 or precision > MOST_DIGITS or not 0 <= scale <= precision:
            return "varchar"
        return f"decimal({precision},{scale})"
    return EXACT.get(oid, "varchar")
