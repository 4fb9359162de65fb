"""From the text a source sends to a DuckDB type, exactly or not at all.

Each expression is null for a text it cannot represent; the writer counts nulls before and after, and a row in which a
value was lost becomes a dead letter with its raw text. What DuckDB would accept and change without an error is
refused by the decoder before it comes here: '0044-03-15 BC' reads as 44 AD, and 'infinity' has no instant.
"""

from __future__ import annotations

from connectors.model import quoted


def cast(name: str, type_: str, alias: str = "") -> str:
    """SQL for column `name`, text in the source, as `type_`."""
    column = alias + quoted(name)
    kind = type_.lower()
    if kind == "varchar":
        return f"{column}::varchar"
    if kind == "blob":
        return f"case when starts_with({column}, '\\x') then from_hex(substr({column}, 3)) end"
    return f"try_cast({column} as {type_})"
