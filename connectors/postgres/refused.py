"""Values refused before they reach DuckDB, and the dead letter of their row.

DuckDB would reject a whole column for one text that is not UTF-8, and would read '0044-03-15 BC' as 44 AD; both must
cost one row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np

from connectors.model import Column, DeadLetter


def no_instant(last: np.ndarray, length: np.ndarray) -> Iterable[int]:
    """Rows whose date or timestamp text does not end in a digit: 'infinity', '-infinity', years BC. `last` is each
    text's last byte.
    """
    return np.nonzero((length > 0) & ((last < ord("0")) | (last > ord("9"))))[0].tolist()


def instant_reason(column: Column, value: bytes | None) -> str:
    return f"{column.name}: {(value or b'').decode(errors='replace')!r} is not an instant this platform holds"


def not_utf8(column: Column, values: Iterable[bytes | None]) -> dict[int, str]:
    """Row -> reason for every value that is not UTF-8."""
    bad = {}
    for row, value in enumerate(values):
        try:
            (value or b"").decode()
        except UnicodeDecodeError as error:
            bad[row] = f"{column.name}: not UTF-8 ({error.reason} at byte {error.start})"
    return bad


def dead_row(
    stream: str,
    columns: Sequence[Column],
    values: Sequence[bytes | None],
    reason: str,
    op: str,
    position: int,
    ordinal: int,
) -> DeadLetter:
    """The dead letter of a row. Raw is JSON: column -> text, null, or {"hex": ...} for bytes that are not UTF-8."""
    row = {column.name: _json(value) for column, value in zip(columns, values, strict=True)}
    key = "|".join(
        (value or b"").decode(errors="replace") for column, value in zip(columns, values, strict=True) if column.key
    )
    raw = json.dumps({"_op": op, **row}, ensure_ascii=False).encode()
    return DeadLetter(stream, reason, raw, key, str(position), ordinal)


def _json(value: bytes | None) -> str | dict[str, str] | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"hex": value.hex()}
