"""Wide World Importers as a world: state by CSV for a load, row changes for the replay."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from sandbox.world.base import Emission, RowChange
from sandbox.wwi import invoices, masters, orders, stock
from sandbox.wwi.source import reader, wwi_folder
from sandbox.wwi.versions import START, Versions

END = datetime(2016, 6, 2)
"""Local midnight after which nothing happens; the business now at which the sample's known figures hold."""


class WwiWorld:
    """The ERP's history from 2013-01-01 to 2016-06-01. The other systems do not exist here, and truth is not known.

    Raises FileNotFoundError when the Parquet files are absent.
    """

    name = "wwi"
    erp_zone = masters.ZONE

    def __init__(self, folder: Path | None = None) -> None:
        read = reader(folder or wwi_folder())
        headers = orders.orders(read)
        self.tables: list[Versions] = [
            *masters.code_lists(read),
            masters.channels(),
            masters.customers(read),
            masters.suppliers(read),
            masters.stock_items(read),
            headers,
            orders.order_lines(read, headers),
            invoices.invoices(read),
            invoices.invoice_lines(read),
            invoices.customer_transactions(read),
            stock.movements(read),
            stock.holdings(read),
            stock.purchase_orders(read),
            stock.purchase_order_lines(read),
        ]
        self._now = self.utc(START)
        self.end = self.utc(END)

    @property
    def now(self) -> datetime:
        """Aware UTC."""
        return self._now

    def utc(self, local: datetime) -> datetime:
        """A naive local moment of the company as aware UTC."""
        return local.replace(tzinfo=ZoneInfo(self.erp_zone)).astimezone(UTC)

    def local(self, moment: datetime) -> datetime:
        """An aware moment as the company's naive local time."""
        return moment.astimezone(ZoneInfo(self.erp_zone)).replace(tzinfo=None)

    def seek(self, until: datetime) -> None:
        """Move the clock without telling what happened meanwhile; `csv_tables` then gives the state."""
        self._now = min(until, self.end)

    def csv_tables(self) -> dict[str, list[bytes]]:
        """The state of every table now, as CSV without header (null as \\N), columns in table order."""
        until = self.local(self._now)
        return {each.table: [_csv(each.state(until))] for each in self.tables}

    def advance(self, until: datetime, progress: Callable[[int, int], None] | None = None) -> Emission:
        """The row changes up to `until` (at most the end), in time order."""
        until = max(self._now, min(until, self.end))
        since, to = self.local(self._now), self.local(until)
        found: list[tuple[datetime, int, RowChange]] = []
        for rank, each in enumerate(self.tables):
            for row in each.step(since, to).iter_rows(named=True):
                moment = row.pop("_at")
                found.append((moment, rank, RowChange("upsert", each.table, row)))
            if progress:
                progress(rank + 1, len(self.tables))
        found.sort(key=lambda change: change[:2])
        self._now = until
        return Emission(erp=[change for _, _, change in found])

    def truth(self) -> list[dict[str, Any]]:
        """Nothing: what is known about this history stands in its own documentation, not in a ledger of ours."""
        return []


def _csv(rows: pl.DataFrame) -> bytes:
    text = io.BytesIO()
    rows.write_csv(text, include_header=False, null_value="\\N", datetime_format="%Y-%m-%d %H:%M:%S%.6f")
    return text.getvalue()
