"""Wide World Importers: an ERP alone, whose picks stand for shipments. The figures are those of its data sheet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent


@pytest.mark.verify
def test_the_data_sheets_figures_come_out_of_canonical(
    new_scratch: Callable[..., Any], wwi_data: Path, wwi_systems: dict[str, Any]
) -> None:
    scratch = new_scratch("wwi", wwi_systems, "2016-06-02T07:00:00Z")
    with scratch.raw() as con:
        con.execute((HERE / "wwi_rows.sql").read_text().replace("{data}", str(wwi_data)))
    scratch.dbt("build", "--select", "staging", "canonical", "--exclude-resource-type", "unit_test")
    assert scratch.query("""
        with shipped as (
            select line.order_line_key, line.ordered_original_qty as qty, orders.chain_depth,
                coalesce(sum(sent.shipped_qty), 0) as to_date,
                coalesce(sum(sent.shipped_qty) filter (sent.shipped_utc < orders.commit_deadline_utc), 0) as first_pass
            from can_order_line as line
            inner join can_sales_order as orders using (order_key)
            left join can_shipment_line as sent using (order_line_key)
            group by all
        )
        select count(*), count(*) filter (to_date >= qty and chain_depth = 0), count(*) filter (first_pass >= qty),
            count(*) filter (to_date >= qty) from shipped""") == [(231412, 223751, 224976, 228265)]
    assert scratch.query("select sum(net_amt - cogs_amt)::varchar, sum(net_amt)::varchar from can_invoice_line") == [
        ("85729180.90", "172261341.20")
    ]
    assert scratch.query("""
        select count(*), count(delivered_utc), count(*) filter (delivered_utc < orders.delivery_deadline_utc)
        from can_shipment as shipment inner join can_sales_order as orders on orders.order_key = shipment.root_order_key
        where has_tracking""") == [(1948, 1864, 1757)]
    assert scratch.query("select count(*) filter (order_line_key is null) from can_invoice_line") == [(0,)]
