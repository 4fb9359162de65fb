"""Invoices with their deliveries, invoice lines, and customer transactions.

The sample lacks its invoice table: which order an invoice bills comes from the derived map, and the delivery data of
May 2016 from the one month that was published apart. That month's invoice dates are wrong there (shifted by six
years), so the map's date is used; its delivery events are right.
"""

from __future__ import annotations

import json

import polars as pl

from sandbox.wwi.source import Read
from sandbox.wwi.versions import Versions, at, day, money, nothing, whole

STAMP = pl.Datetime("us")


def invoices(read: Read) -> Versions:
    """sales.invoices: one version when it was made, one when its goods were delivered."""
    made = read("Sales.InvoiceLines").group_by("InvoiceID").agg(pl.col("LastEditedWhen").min().alias("_made"))
    may = read("Sales.Invoices_May").select(
        "InvoiceID", "ReturnedDeliveryData", "ConfirmedDeliveryTime", "ConfirmedReceivedBy"
    )
    source = read("derived_Sales.InvoiceOrderMap").join(made, on="InvoiceID", how="left", maintain_order="left")
    source = source.join(may, on="InvoiceID", how="left", maintain_order="left")
    final = source.select(
        pl.col("InvoiceID").alias("invoice_id"),
        pl.col("CustomerID").alias("customer_id"),
        pl.col("BillToCustomerID").alias("bill_to_customer_id"),
        pl.col("OrderID").alias("order_id"),
        nothing("shipment_number"),
        day("InvoiceDate", "invoice_date"),
        pl.lit(False).alias("is_credit_note"),
        nothing("credit_note_reason"),
        nothing("credited_invoice_id", pl.Int64),
        nothing("created_when", STAMP),
        pl.col("ReturnedDeliveryData").alias("returned_delivery_data"),
        pl.col("ConfirmedDeliveryTime").alias("confirmed_delivery_time"),
        pl.col("ConfirmedReceivedBy").alias("confirmed_received_by"),
        pl.coalesce("ConfirmedDeliveryTime", "_made").alias("last_edited_when"),
        pl.col("_made"),
    )
    collected = pl.col("returned_delivery_data").map_elements(before_delivery, pl.String, skip_nulls=True)
    first = final.with_columns(
        collected.alias("returned_delivery_data"),
        nothing("confirmed_delivery_time", STAMP),
        nothing("confirmed_received_by"),
        pl.col("_made").alias("last_edited_when"),
        at(pl.col("_made")),
    )
    delivered = final.with_columns(at(pl.col("last_edited_when"))).filter(pl.col("_at") > pl.col("_made"))
    return Versions.of("sales.invoices", first.drop("_made"), delivered.drop("_made"))


def before_delivery(log: str) -> str:
    """The carrier's event log as it stood when the goods were ready for collection; unchanged if nothing came after."""
    events = json.loads(log)["Events"]
    waiting = [event for event in events if event["Event"] == "Ready for collection"]
    return log if len(waiting) == len(events) else json.dumps({"Events": waiting}, separators=(",", ":"))


def invoice_lines(read: Read) -> Versions:
    """sales.invoice_lines. The order line is the picked one of the invoice's order with the same item: there is just
    one."""
    bills = read("derived_Sales.InvoiceOrderMap").select("InvoiceID", "OrderID")
    picked = (
        read("Sales.OrderLines")
        .filter(pl.col("PickingCompletedWhen").is_not_null())
        .select("OrderID", "StockItemID", "OrderLineID")
    )
    source = read("Sales.InvoiceLines").join(bills, on="InvoiceID", how="left", maintain_order="left")
    source = source.join(picked, on=["OrderID", "StockItemID"], how="left", maintain_order="left")
    rows = source.select(
        pl.col("InvoiceLineID").alias("invoice_line_id"),
        pl.col("InvoiceID").alias("invoice_id"),
        pl.col("OrderLineID").alias("order_line_id"),
        pl.col("StockItemID").alias("stock_item_id"),
        pl.col("Description").alias("description"),
        pl.col("Quantity").alias("quantity"),
        money("UnitPrice", "unit_price"),
        pl.col("TaxRate").cast(pl.Decimal(9, 3)).alias("tax_rate"),
        money("TaxAmount", "tax_amount"),
        money("LineProfit", "line_profit"),
        money("ExtendedPrice", "extended_price"),
        pl.col("LastEditedWhen").alias("last_edited_when"),
        at(pl.col("LastEditedWhen")),
    )
    return Versions.of("sales.invoice_lines", rows)


def customer_transactions(read: Read) -> Versions:
    """sales.customer_transactions: open on its date, settled when it was last edited."""
    final = read("Sales.CustomerTransactions").select(
        pl.col("CustomerTransactionID").alias("customer_transaction_id"),
        pl.col("CustomerID").alias("customer_id"),
        pl.col("TransactionTypeID").alias("transaction_type_id"),
        whole("InvoiceID", "invoice_id"),
        day("TransactionDate", "transaction_date"),
        money("AmountExcludingTax", "amount_excluding_tax"),
        money("TaxAmount", "tax_amount"),
        money("TransactionAmount", "transaction_amount"),
        money("OutstandingBalance", "outstanding_balance"),
        day("FinalizationDate", "finalization_date"),
        pl.col("LastEditedWhen").alias("last_edited_when"),
        at(pl.col("LastEditedWhen")),
    )
    entered = pl.col("transaction_date").cast(STAMP)
    opened = final.filter(pl.col("last_edited_when") > entered).with_columns(
        pl.col("transaction_amount").alias("outstanding_balance"),
        nothing("finalization_date", pl.Date),
        entered.alias("last_edited_when"),
        at(entered),
    )
    return Versions.of("sales.customer_transactions", opened, final)
