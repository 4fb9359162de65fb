"""Orders, their lines and backorders, as they came to be.

The rule of the replay: an order appears on its order date with all lines that ever stood on its chain, unpicked. A
backorder child appears when its parent was last edited, that is when the parent's picking was completed; its lines move
over then (`order_id` changes) and the parent points to it. Lines and orders take their final shape when they were
picked. The sample proves the moment: order numbers are given in sequence, and all 7,538 children have numbers that
were given out on the very day their parent's picking was completed.
"""

from __future__ import annotations

import polars as pl

from sandbox.wwi.masters import SITE
from sandbox.wwi.source import Read
from sandbox.wwi.versions import Versions, at, day, money, nothing, whole

UNPICKED = (pl.lit(0, pl.Int64).alias("picked_quantity"), nothing("picking_completed_when", pl.Datetime("us")))


def orders(read: Read) -> Versions:
    """sales.orders: one version when it appears, one when its picking ended."""
    final = (
        read("Sales.Orders")
        .select(
            pl.col("OrderID").alias("order_id"),
            pl.col("CustomerID").alias("customer_id"),
            whole("BackorderOrderID", "backorder_order_id"),
            pl.lit(SITE, pl.Int64).alias("site_id"),
            nothing("channel_id", pl.Int64),
            day("OrderDate", "order_date"),
            day("ExpectedDeliveryDate", "expected_delivery_date"),
            pl.col("CustomerPurchaseOrderNumber").cast(pl.String).alias("customer_purchase_order_number"),
            nothing("oms_order_number"),
            pl.col("IsUndersupplyBackordered").alias("is_undersupply_backordered"),
            pl.col("PickingCompletedWhen").alias("picking_completed_when"),
            nothing("order_status"),
            pl.col("LastEditedWhen").alias("last_edited_when"),
        )
        .with_columns(at(pl.col("last_edited_when")))
    )
    begun = _parents(final).select(pl.col("child").alias("order_id"), pl.col("moved").alias("_begun"))
    appears = (
        final.join(begun, on="order_id", how="left", maintain_order="left")
        .with_columns(
            nothing("backorder_order_id", pl.Int64),
            nothing("picking_completed_when", pl.Datetime("us")),
            pl.coalesce("_begun", pl.col("order_date").cast(pl.Datetime("us"))).alias("last_edited_when"),
        )
        .with_columns(at(pl.col("last_edited_when")))
    )
    return Versions.of("sales.orders", appears, final)


def order_lines(read: Read, headers: Versions) -> Versions:
    """sales.order_lines: on the root order, then one version per move to a backorder, then as picked."""
    final = (
        read("Sales.OrderLines")
        .select(
            pl.col("OrderLineID").alias("order_line_id"),
            pl.col("OrderID").alias("order_id"),
            nothing("parent_order_line_id", pl.Int64),
            nothing("substitute_for_line_id", pl.Int64),
            nothing("oms_line_no", pl.Int64),
            pl.col("StockItemID").alias("stock_item_id"),
            pl.col("Description").alias("description"),
            pl.col("Quantity").alias("quantity"),
            money("UnitPrice", "unit_price"),
            pl.col("TaxRate").cast(pl.Decimal(9, 3)).alias("tax_rate"),
            pl.col("PickedQuantity").alias("picked_quantity"),
            pl.col("PickingCompletedWhen").alias("picking_completed_when"),
            pl.col("LastEditedWhen").alias("last_edited_when"),
        )
        .with_columns(at(pl.col("last_edited_when")))
    )
    last = headers.frame.unique("order_id", keep="last")
    parents = _parents(last)
    placed = last.select("order_id", pl.col("order_date").cast(pl.Datetime("us")).alias("_placed"))
    stays: list[pl.DataFrame] = []
    here = final.join(placed, on="order_id", how="left", maintain_order="left")
    while here.height:
        # From the order a line ended on, back to its root: each hop is one stay on one order.
        hop = here.join(parents, left_on="order_id", right_on="child", how="left", maintain_order="left")
        stay = hop.with_columns(*UNPICKED, pl.coalesce("moved", "_placed").alias("last_edited_when"))
        stays.insert(0, stay.with_columns(at(pl.col("last_edited_when"))))
        here = hop.filter(pl.col("parent").is_not_null()).with_columns(pl.col("parent").alias("order_id"))
        here = here.drop("parent", "moved")
    columns = final.columns
    return Versions.of("sales.order_lines", *(stay.select(columns) for stay in stays), final)


def _parents(last: pl.DataFrame) -> pl.DataFrame:
    """child, parent, moved: which order a backorder came from, and when."""
    return last.filter(pl.col("backorder_order_id").is_not_null()).select(
        pl.col("backorder_order_id").alias("child"),
        pl.col("order_id").alias("parent"),
        pl.col("last_edited_when").alias("moved"),
    )
