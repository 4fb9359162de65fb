"""An Arrow table that DuckDB may read for the length of a block, and not a byte of it longer.

What is registered inside a transaction stays referenced until that ends: a table given as it is would stay in memory,
and with it every earlier one of the same commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa


class _Lent:
    def __init__(self, table: pa.Table) -> None:
        self.table: pa.Table | None = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        assert self.table is not None, "read after it was given back"
        return self.table.__arrow_c_stream__(requested_schema)


@contextmanager
def lent(db: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[None]:
    """`table` as the relation `name`, which statements inside the block may read any number of times."""
    holder = _Lent(table)
    db.register(name, holder)
    try:
        yield
    finally:
        db.unregister(name)
        holder.table = None
