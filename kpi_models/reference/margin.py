"""Gross margin from invoice and credit lines (catalog/margin.yaml). Amounts are times 10^2."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from .cells import Sum, sum_cells
from .orders import posted
from .reader import Frames

KPIS = (
    Sum("gross_margin_rate", "profit_e2", "net_amt_e2", exponent=2, needs_positive_denominator=True),
    Sum("gross_margin_amount", "profit_e2", exponent=2),
)
_COLUMNS = ("item_group", "customer_category", "net_amt_e2", "cogs_amt_e2")


def margin(frames: Frames, as_of: datetime) -> pl.DataFrame:
    """Cells of the two margin KPIs; see `cells.SCHEMA`. `as_of` is naive UTC."""
    return sum_cells(posted_lines(frames, as_of), KPIS, ("site", "customer_category", "item_group"), as_of)


def posted_lines(frames: Frames, as_of: datetime) -> pl.DataFrame:
    """Invoice lines and credit lines posted by the as-of instant, with their profit; credits carry their own minus
    signs."""
    invoiced = posted(frames["can_invoice_line"], "invoice_line_key", frames, as_of)
    credited = posted(frames["can_credit_line"], "credit_line_key", frames, as_of)
    lines = [part.select(*_COLUMNS, site="site_code", period_date="posting_date") for part in (invoiced, credited)]
    return pl.concat(lines).with_columns(profit_e2=pl.col("net_amt_e2") - pl.col("cogs_amt_e2"))
