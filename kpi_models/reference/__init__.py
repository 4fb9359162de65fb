"""The reference: every KPI computed a second time, from canonical frames, by pure functions.

Written from the catalogue's words only. It shares no rule with the SQL and reads no mart, so that the two can disagree.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from .billing import shipped_not_invoiced
from .cells import KEYS, SCHEMA
from .delivery import delivery
from .fill_rate import fill_rate
from .latency import latency
from .margin import margin
from .reader import TABLES, Frames, open_read_only, read

FAMILIES = (fill_rate, delivery, latency, margin, shipped_not_invoiced)

__all__ = ["FAMILIES", "Frames", "KEYS", "SCHEMA", "TABLES", "evaluate", "evaluate_frames", "naive_utc", "read"]


def evaluate(
    warehouse: duckdb.DuckDBPyConnection | Path | str, as_of: datetime, schema: str = "canonical"
) -> pl.DataFrame:
    """All cells of all KPIs (columns `cells.SCHEMA`), from the canonical tables of a warehouse file or open connection.

    An aware `as_of` is turned to UTC, a naive one is UTC. Raises duckdb.Error when the file or a column is missing.
    """
    if isinstance(warehouse, duckdb.DuckDBPyConnection):
        return evaluate_frames(read(warehouse, schema), as_of)
    with open_read_only(warehouse) as connection:
        return evaluate_frames(read(connection, schema), as_of)


def evaluate_frames(frames: Frames, as_of: datetime) -> pl.DataFrame:
    """All cells of all KPIs from canonical frames (see `reader.TABLES`), sorted by their keys."""
    instant = naive_utc(as_of)
    return pl.concat([family(frames, instant) for family in FAMILIES]).sort(KEYS)


def naive_utc(instant: datetime) -> datetime:
    """The instant without a zone, in UTC."""
    return instant if instant.tzinfo is None else instant.astimezone(UTC).replace(tzinfo=None)
