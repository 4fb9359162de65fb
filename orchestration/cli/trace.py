"""`crossdock trace`: what every system said about one order, in the order in which it happened."""

from typing import Any

from orchestration.cli.errors import BadInput
from orchestration.cli.output import instant, print_json, print_table
from orchestration.publication import reading
from orchestration.settings import Settings

NUMBERS = (
    "order_number",
    "oms_order_number",
    "root_order_number",
    "source_order_number",
    "customer_po",
    "shipment_number",
    "tracking_number",
)
EVENT = (
    "event_time_utc",
    "event_type",
    "source_system",
    "order_number",
    "site_code",
    "qty",
    "detail",
    "event_time_raw",
    "time_confidence",
    "time_precision",
    "time_flags",
    "event_time_utc_min",
    "event_time_utc_max",
    "object_key",
)
SAME = ("event_time_utc", "event_type", "source_system", "order_number", "site_code", "event_time_raw")
SHOWN = {
    "event_time_utc": "time (UTC)",
    "event_type": "event",
    "source_system": "source",
    "order_number": "order",
    "site_code": "site",
    "records": "records",
    "qty": "qty",
    "event_time_raw": "raw time",
    "time_confidence": "confidence",
    "time_flags": "flags",
}


def events(connection: Any, number: str) -> list[dict[str, Any]]:
    """Events of every order that carries this number, whichever system gave it; the whole backorder chain is one
    order."""
    roots: set[str] = set()
    for table, column in _places(connection):
        found = connection.execute(f'select distinct root_order_key from core."{table}" where "{column}" = ?', [number])
        roots |= {row[0] for row in found.fetchall() if row[0] is not None}
    if not roots:
        raise BadInput(f"no order, shipment or parcel is known by {number!r} in the published version")
    have = _columns(connection, "fct_event")
    names = [name for name in EVENT if name in have]
    rows = connection.execute(
        f"select {', '.join(names)} from core.fct_event where root_order_key in (select unnest(?))"
        " order by event_time_utc nulls last, event_time_utc_min, event_key",
        [sorted(roots)],
    ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def run(number: str, as_json: bool) -> None:
    with reading(Settings.from_env().published) as (connection, snapshot):
        found = events(connection, number)
    if as_json:
        times = ("event_time_utc", "event_time_utc_min", "event_time_utc_max")
        print_json([{key: instant(value) if key in times else value for key, value in row.items()} for row in found])
        return
    rows = [{title: row.get(name) for name, title in SHOWN.items()} for row in told_once(found)]
    print_table(f"{number}, version {snapshot.version}", rows)


def told_once(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For the table: what one system says of many lines at one instant is one row, with their number and total
    quantity."""
    grouped: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in found:
        one = grouped.setdefault(tuple(row.get(name) for name in SAME), {**row, "records": 0, "qty": None})
        one["records"] += 1
        if row.get("qty") is not None:
            one["qty"] = (one["qty"] or 0) + row["qty"]
    return list(grouped.values())


def _places(connection: Any) -> list[tuple[str, str]]:
    """Where a number may stand: columns of facts that also know the root order."""
    rows = connection.execute(
        """
        select table_name, column_name from duckdb_columns()
        where schema_name = 'core' and column_name in (select unnest(?))
            and table_name in (select table_name from duckdb_columns() where column_name = 'root_order_key')
        order by all
        """,
        [list(NUMBERS)],
    )
    return rows.fetchall()  # type: ignore[no-any-return]


def _columns(connection: Any, table: str) -> set[str]:
    rows = connection.execute(
        "select column_name from duckdb_columns() where schema_name = 'core' and table_name = ?", [table]
    )
    return {row[0] for row in rows.fetchall()}
