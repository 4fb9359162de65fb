"""Wide World Importers' KPIs, computed straight from its tables by SQL that shares nothing with the product."""

from decimal import Decimal
from pathlib import Path

import duckdb

# (kpi, numerator, denominator) of the whole database, as the data set's README states them
WHOLE = [
    ("fill_rate_line_first_event_strict", "223751", "231412"),
    ("fill_rate_line_first_pass_strict", "224976", "231412"),
    ("fill_rate_line_to_date_strict", "228265", "231412"),
    ("fill_rate_unit_first_event_strict", "8663110", "9310904"),
    ("fill_rate_unit_first_pass_strict", "8709261", "9310904"),
    ("fill_rate_unit_to_date_strict", "8950628", "9310904"),
    ("fill_rate_value_first_event_strict", "168078339.30", "177634276.40"),
    ("fill_rate_value_first_pass_strict", "168832822.30", "177634276.40"),
    ("fill_rate_value_to_date_strict", "172261341.20", "177634276.40"),
    ("fill_rate_order_first_event_strict", "58756", "66057"),
    ("fill_rate_order_first_pass_strict", "59857", "66057"),
    ("fill_rate_order_to_date_strict", "62972", "66057"),
    ("gross_margin_rate", "85729180.90", "172261341.20"),
    ("delivery_completed_to_commit", "1864", "1948"),
    ("on_time_delivery_to_commit", "1757", "1948"),
    ("delivery_late_to_commit", "107", "1948"),
    ("delivery_open_to_commit", "84", "1948"),
]

LINES = """
create temp table line as
with recursive chain as (
    select "OrderID" as root, "OrderID" as order_id, 0 as depth from orders
    where "OrderID" not in (select "BackorderOrderID"::bigint from orders where "BackorderOrderID" is not null)
    union all
    select chain.root, orders."BackorderOrderID"::bigint, depth + 1
    from chain join orders on orders."OrderID" = chain.order_id where orders."BackorderOrderID" is not null
)
select
    chain.root, root."ExpectedDeliveryDate"::date as due, line."Quantity" as qty,
    line."UnitPrice"::decimal(18, 2) as price,
    line."PickedQuantity" >= line."Quantity" as to_date,
    to_date and depth = 0 as first_event,
    to_date and coalesce(line."PickingCompletedWhen"::date <= due, false) as first_pass
from lines as line join chain on chain.order_id = line."OrderID" join orders as root on root."OrderID" = chain.root
"""


def slices(folder: Path) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """(kpi, period) -> (numerator, denominator) for every year and month of fill rate, margin and delivery."""
    connection = duckdb.connect()
    for name, file in [("orders", "Sales.Orders"), ("lines", "Sales.OrderLines"), ("bills", "Sales.InvoiceLines"),
                       ("map", "derived_Sales.InvoiceOrderMap"), ("may", "Sales.Invoices_May")]:  # fmt: skip
        connection.execute(f"create view {name} as select * from '{folder / file}.parquet'")
    connection.execute(LINES)
    wanted: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}

    def collect(kpi: str, query: str) -> None:
        for period, numerator, denominator in connection.execute(query).fetchall():
            wanted[kpi, period] = Decimal(str(numerator)), Decimal(str(denominator))

    for form in ("%Y", "%Y-%m"):
        for variant in ("first_event", "first_pass", "to_date"):
            bases = {"line": ("1", "1"), "unit": ("qty", "qty"), "value": ("qty * price", "qty * price")}
            for basis, (top, bottom) in bases.items():
                collect(
                    f"fill_rate_{basis}_{variant}_strict",
                    f"select strftime(due, '{form}'), sum(case when {variant} then {top} else 0 end), sum({bottom}) "
                    "from line group by 1",
                )
            collect(
                f"fill_rate_order_{variant}_strict",
                f"select strftime(due, '{form}'), count(*) filter (filled), count(*) from "
                f"(select root, due, bool_and({variant}) as filled from line group by all) group by 1",
            )
        collect(
            "gross_margin_rate",
            f"""select strftime(map."InvoiceDate", '{form}'), sum("LineProfit"::decimal(18, 2)),
            sum("ExtendedPrice"::decimal(18, 2) - "TaxAmount"::decimal(18, 2))
            from bills join map using ("InvoiceID") group by 1""",
        )
        collect(
            "on_time_delivery_to_commit",
            f"""select strftime("ExpectedDeliveryDate", '{form}'),
            count(*) filter ("ConfirmedDeliveryTime"::date <= "ExpectedDeliveryDate"::date), count(*)
            from may join orders using ("OrderID") group by 1""",
        )
    connection.close()
    return wanted
