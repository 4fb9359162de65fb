"""What the reference reads: columns of the canonical tables, and how they come into Polars.

`TABLES` is checked against `contracts/canonical/` (kpi_models.contracts). Decimals become scaled whole numbers with
the scale in the name (`shipped_qty` decimal(18,4) becomes `shipped_qty_e4` Int64), see `exact.py`.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import polars as pl

Frames = dict[str, pl.DataFrame]

TABLES: dict[str, dict[str, str]] = {
    "can_legal_entity": {"legal_entity_code": "varchar", "zone": "varchar"},
    "can_sales_order": {
        "order_key": "varchar",
        "root_order_key": "varchar",
        "chain_depth": "integer",
        "customer_category": "varchar",
        "site_code": "varchar",
        "order_received_utc": "timestamp",
        "order_received_utc_min": "timestamp",
        "order_received_utc_max": "timestamp",
        "first_commit_date": "date",
        "commit_deadline_utc": "timestamp",
        "delivery_deadline_utc": "timestamp",
        "is_in_scope": "boolean",
    },
    "can_order_line": {
        "order_line_key": "varchar",
        "order_key": "varchar",
        "root_order_key": "varchar",
        "root_order_line_key": "varchar",
        "substitutes_order_line_key": "varchar",
        "item_group": "varchar",
        "ordered_original_qty": "decimal(18,4)",
        "unit_price": "decimal(18,4)",
        "is_goods": "boolean",
    },
    "can_line_change": {
        "root_order_line_key": "varchar",
        "change_kind": "varchar",
        "qty_delta": "decimal(18,4)",
        "initiator": "varchar",
        "changed_utc": "timestamp",
    },
    "can_release": {
        "release_event_key": "varchar",
        "root_order_key": "varchar",
        "chain_depth": "integer",
        "released_utc": "timestamp",
    },
    "can_shipment": {
        "shipment_key": "varchar",
        "root_order_key": "varchar",
        "site_code": "varchar",
        "customer_category": "varchar",
        "has_tracking": "boolean",
        "shipped_utc": "timestamp",
        "shipped_utc_min": "timestamp",
        "shipped_utc_max": "timestamp",
        "shipped_date": "date",
        "delivered_utc": "timestamp",
        "delivered_utc_min": "timestamp",
        "delivered_utc_max": "timestamp",
        "delivered_date": "date",
        "is_void": "boolean",
    },
    "can_shipment_line": {
        "order_line_key": "varchar",
        "root_order_line_key": "varchar",
        "release_event_key": "varchar",
        "shipped_qty": "decimal(18,4)",
        "shipped_utc": "timestamp",
        "shipped_utc_min": "timestamp",
        "shipped_utc_max": "timestamp",
        "is_void": "boolean",
    },
    "can_invoice": {
        "invoice_key": "varchar",
        "shipment_key": "varchar",
        "posting_date": "date",
        "created_utc": "timestamp",
        "created_utc_min": "timestamp",
        "created_utc_max": "timestamp",
        "is_credit": "boolean",
    },
    "can_invoice_line": {
        "invoice_line_key": "varchar",
        "order_line_key": "varchar",
        "item_group": "varchar",
        "site_code": "varchar",
        "customer_category": "varchar",
        "posting_date": "date",
        "invoiced_qty": "decimal(18,4)",
        "net_amt": "decimal(18,2)",
        "cogs_amt": "decimal(18,2)",
    },
    "can_credit_line": {
        "credit_line_key": "varchar",
        "item_group": "varchar",
        "site_code": "varchar",
        "customer_category": "varchar",
        "posting_date": "date",
        "net_amt": "decimal(18,2)",
        "cogs_amt": "decimal(18,2)",
    },
}

_DECIMAL = re.compile(r"decimal\(\d+,(\d+)\)")


def read(connection: duckdb.DuckDBPyConnection, schema: str = "canonical") -> Frames:
    """Every table of TABLES as a frame. `schema` may be `catalog.schema`. Raises duckdb.Error when a column is
    missing."""
    return {table: connection.execute(_query(table, columns, schema)).pl() for table, columns in TABLES.items()}


def scaled_name(column: str, kind: str) -> str:
    """The frame's name of a column: decimals carry their scale."""
    match = _DECIMAL.fullmatch(kind)
    return f"{column}_e{match[1]}" if match else column


def open_read_only(path: Path | str) -> duckdb.DuckDBPyConnection:
    """A read-only connection to one DuckDB file; the session never loads extensions by itself."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    return duckdb.connect(str(path), read_only=True, config=config)


def _query(table: str, columns: dict[str, str], schema: str) -> str:
    qualified = ".".join(f'"{part}"' for part in (*schema.split("."), table))
    return f"select {', '.join(_column(name, kind) for name, kind in columns.items())} from {qualified}"


def _column(name: str, kind: str) -> str:
    match = _DECIMAL.fullmatch(kind)
    if not match:
        return f'cast("{name}" as {kind}) as "{name}"'
    scale = int(match[1])
    return f'cast(cast("{name}" as decimal(38,{scale})) * {10**scale} as bigint) as "{scaled_name(name, kind)}"'
