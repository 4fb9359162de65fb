"""Stock movements, holdings and purchase orders."""

from __future__ import annotations

import polars as pl

from sandbox.wwi.masters import SITE
from sandbox.wwi.source import Read
from sandbox.wwi.versions import START, Versions, at, day, money, nothing, whole

STAMP = pl.Datetime("us")


def movements(read: Read) -> Versions:
    """warehouse.stock_item_transactions: each when it occurred."""
    rows = read("Warehouse.StockItemTransactions").select(
        pl.col("StockItemTransactionID").alias("stock_item_transaction_id"),
        pl.col("StockItemID").alias("stock_item_id"),
        pl.lit(SITE, pl.Int64).alias("site_id"),
        pl.col("TransactionTypeID").alias("transaction_type_id"),
        whole("CustomerID", "customer_id"),
        whole("InvoiceID", "invoice_id"),
        whole("SupplierID", "supplier_id"),
        whole("PurchaseOrderID", "purchase_order_id"),
        pl.col("TransactionOccurredWhen").alias("transaction_occurred_when"),
        pl.col("Quantity").cast(pl.Decimal(18, 3)).alias("quantity"),
        pl.col("LastEditedWhen").alias("last_edited_when"),
        at(pl.col("TransactionOccurredWhen")),
    )
    return Versions.of("warehouse.stock_item_transactions", rows)


def holdings(read: Read) -> Versions:
    """warehouse.stock_item_holdings: the known last figure, and before it that figure less the movements that came
    after.

    Once a day, at the item's last movement. The sample's ledger does not explain its holdings, so going back may end
    below zero; such a figure is shown as zero. The cost is the one static figure of the sample.
    """
    final = read("Warehouse.StockItemHoldings").select(
        pl.col("StockItemID").alias("stock_item_holding_id"),
        pl.col("StockItemID").alias("stock_item_id"),
        pl.lit(SITE, pl.Int64).alias("site_id"),
        pl.col("QuantityOnHand").alias("quantity_on_hand"),
        money("LastCostPrice", "last_cost_price", 4),
        pl.col("LastEditedWhen").alias("last_edited_when"),
    )
    moved = (
        read("Warehouse.StockItemTransactions")
        .group_by(
            pl.col("StockItemID").alias("stock_item_id"), pl.col("TransactionOccurredWhen").dt.date().alias("_day")
        )
        .agg(pl.col("Quantity").sum().alias("_moved"), pl.col("TransactionOccurredWhen").max().alias("_when"))
        .sort("stock_item_id", "_day")
        .with_columns(pl.col("_moved").cum_sum().over("stock_item_id").alias("_so_far"))
    )
    whole_movement = moved.group_by("stock_item_id").agg(
        pl.col("_moved").sum().alias("_all"), pl.col("_when").max().alias("_last")
    )
    final = final.join(whole_movement, on="stock_item_id", how="left", maintain_order="left")
    before = pl.col("quantity_on_hand") - pl.col("_all").fill_null(0)
    first = final.with_columns(
        before.clip(lower_bound=0).alias("quantity_on_hand"),
        pl.lit(START).cast(STAMP).alias("last_edited_when"),
        at(START),
    )
    daily = moved.join(final, on="stock_item_id", maintain_order="left").with_columns(
        (before + pl.col("_so_far")).clip(lower_bound=0).alias("quantity_on_hand"),
        pl.col("_when").alias("last_edited_when"),
        at(pl.col("_when")),
    )
    last = final.with_columns(at(pl.max_horizontal("last_edited_when", "_last")))
    columns = [*final.columns[:6], "_at"]
    return Versions.of(
        "warehouse.stock_item_holdings", first.select(columns), daily.select(columns), last.select(columns)
    )


def purchase_orders(read: Read) -> Versions:
    """purchasing.purchase_orders: placed on its date, finalized when last edited."""
    final = read("Purchasing.PurchaseOrders").select(
        pl.col("PurchaseOrderID").alias("purchase_order_id"),
        pl.col("SupplierID").alias("supplier_id"),
        pl.lit(SITE, pl.Int64).alias("site_id"),
        day("OrderDate", "order_date"),
        day("ExpectedDeliveryDate", "expected_delivery_date"),
        pl.col("SupplierReference").alias("supplier_reference"),
        pl.col("IsOrderFinalized").alias("is_order_finalized"),
        pl.col("LastEditedWhen").alias("last_edited_when"),
        at(pl.col("LastEditedWhen")),
    )
    placed = pl.col("order_date").cast(STAMP)
    first = final.filter(pl.col("last_edited_when") > placed).with_columns(
        pl.lit(False).alias("is_order_finalized"), placed.alias("last_edited_when"), at(placed)
    )
    return Versions.of("purchasing.purchase_orders", first, final)


def purchase_order_lines(read: Read) -> Versions:
    """purchasing.purchase_order_lines: ordered with its order, received when last edited."""
    placed = read("Purchasing.PurchaseOrders").select("PurchaseOrderID", pl.col("OrderDate").alias("_placed"))
    source = read("Purchasing.PurchaseOrderLines").join(placed, on="PurchaseOrderID", how="left", maintain_order="left")
    final = source.select(
        pl.col("PurchaseOrderLineID").alias("purchase_order_line_id"),
        pl.col("PurchaseOrderID").alias("purchase_order_id"),
        pl.col("StockItemID").alias("stock_item_id"),
        pl.col("OrderedOuters").alias("ordered_outers"),
        pl.col("ReceivedOuters").alias("received_outers"),
        money("ExpectedUnitPricePerOuter", "expected_unit_price_per_outer"),
        day("LastReceiptDate", "last_receipt_date"),
        pl.col("IsOrderLineFinalized").alias("is_order_line_finalized"),
        pl.col("LastEditedWhen").alias("last_edited_when"),
        at(pl.col("LastEditedWhen")),
        pl.col("_placed"),
    )
    first = final.filter(pl.col("last_edited_when") > pl.col("_placed")).with_columns(
        pl.lit(0, pl.Int64).alias("received_outers"),
        nothing("last_receipt_date", pl.Date),
        pl.lit(False).alias("is_order_line_finalized"),
        pl.col("_placed").alias("last_edited_when"),
        at(pl.col("_placed")),
    )
    return Versions.of("purchasing.purchase_order_lines", first.drop("_placed"), final.drop("_placed"))
