"""The true KPI cells, computed from the ledger.

Definitions are those of the KPI catalogue in words: fill rates by root line and root order, deliveries to commit,
latencies, margin, shipped-not-invoiced. Cells for the whole company at every period; by site, customer category and
item group at month, year and total.
"""

from __future__ import annotations

from typing import Any

from .clock import zulu
from .ledger import Ledger
from .truth_cells import Cell
from .truth_fill import fill_cells
from .truth_flow import delivery_cells, latency_cells
from .truth_money import margin_cells, unbilled_cells


def truth_rows(ledger: Ledger, as_of: int) -> list[dict[str, Any]]:
    """Rows with kpi_id, period, dimensions, numerator, denominator, value, value_min, value_max, agreement, as_of."""
    cells: list[Cell] = []
    cells += fill_cells(ledger, as_of)
    cells += delivery_cells(ledger, as_of)
    cells += latency_cells(ledger, as_of)
    cells += margin_cells(ledger, as_of)
    cells += unbilled_cells(ledger)
    stamp = zulu(as_of)
    rows = [cell.row(stamp) for cell in cells]
    rows.sort(key=lambda r: (r["kpi_id"], r["period"], sorted(r["dimensions"].items())))
    return rows
