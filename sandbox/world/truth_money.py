"""True gross margin and what has shipped but is not invoiced."""

from __future__ import annotations

import polars as pl

from .clock import local_date
from .company import CATEGORIES, ERP_ZONE, SITES
from .ledger import Ledger
from .truth_cells import Cell, cents, groups

_DIMS = {"date": pl.Date, "site": pl.String, "customer_category": pl.String, "item_group": pl.String}


def margin_cells(ledger: Ledger, as_of: int) -> list[Cell]:
    """Margin of invoice and credit lines posted up to the local date of now."""
    today = local_date(as_of, ERP_ZONE)
    rows = [(b.posted, b.site, b.category, b.family, b.net, b.net - b.cogs) for b in ledger.billed if b.posted <= today]
    frame = pl.DataFrame(rows, schema={**_DIMS, "net": pl.Int64, "margin": pl.Int64}, orient="row")
    cells = []
    for period, dims, got in groups(frame, [pl.col("net").sum(), pl.col("margin").sum()]):
        net, margin = got["net"], got["margin"]
        amount = cents(margin)
        cells.append(Cell("gross_margin_amount", period, dims, amount, None, amount, amount, amount))
        if net or period == "total":
            value = margin / net if net > 0 else None
            cells.append(Cell("gross_margin_rate", period, dims, amount, cents(net), value, value, value))
    return cells


def unbilled_cells(ledger: Ledger) -> list[Cell]:
    """Per ERP line, what has shipped less what was invoiced, at the order's price; one total, no periods."""
    rows = []
    for segment in ledger.departed:
        root = segment.line.root
        left = max(0, segment.departed - segment.billed)
        where = (SITES[root.site].code, CATEGORIES[root.customer.category], segment.line.item.family_name)
        rows.append((root.commit, *where, left * segment.line.price_cents, int(left > 0)))
    frame = pl.DataFrame(rows, schema={**_DIMS, "amount": pl.Int64, "lines": pl.Int64}, orient="row")
    cells = []
    for period, dims, got in groups(frame, [pl.col("amount").sum(), pl.col("lines").sum()], only_total=True):
        amount, count = cents(got["amount"]), got["lines"]
        cells.append(Cell("shipped_not_invoiced_amount", period, dims, amount, None, amount, amount, amount))
        cells.append(
            Cell("shipped_not_invoiced_lines", period, dims, count, None, float(count), float(count), float(count))
        )
    return cells
