"""Code lists, customers, suppliers and items of Wide World Importers as ERP tables.

The sample keeps only the last version of a master row. It is shown from its own beginning (a customer from the day the
account was opened, everything else from the first day) and once more, with the next row version, when it was last
edited.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from sandbox.wwi.source import Read
from sandbox.wwi.versions import START, Versions, at, day, money, whole

ZONE = "America/Los_Angeles"
SITE = 1


def code_lists(read: Read) -> list[Versions]:
    """Everything that stands unchanged from the first day."""
    company = pl.DataFrame(
        {"legal_entity_id": [1], "legal_entity_name": ["Wide World Importers"], "currency": ["USD"], "zone": [ZONE]}
    )
    site = pl.DataFrame(
        {
            "site_id": [SITE],
            "site_code": ["WWI"],
            "site_name": ["Wide World Importers DC"],
            "zone": [ZONE],
            "legal_entity_id": [1],
        }
    )
    lists = [
        _from_start("application.legal_entities", company),
        _from_start("application.sites", site),
    ]
    for table, source, name in (
        ("application.delivery_methods", "Application.DeliveryMethods", "DeliveryMethod"),
        ("application.transaction_types", "Application.TransactionTypes", "TransactionType"),
        ("sales.customer_categories", "Sales.CustomerCategories", "CustomerCategory"),
        ("sales.buying_groups", "Sales.BuyingGroups", "BuyingGroup"),
        ("warehouse.stock_groups", "Warehouse.StockGroups", "StockGroup"),
        ("purchasing.supplier_categories", "Purchasing.SupplierCategories", "SupplierCategory"),
    ):
        stem = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
        columns = [pl.col(f"{name}ID").alias(f"{stem}_id"), pl.col(f"{name}Name").alias(f"{stem}_name")]
        lists.append(_from_start(table, read(source).select(columns)))
    groups = read("Warehouse.StockItemStockGroups").select(
        stock_item_stock_group_id="StockItemStockGroupID", stock_item_id="StockItemID", stock_group_id="StockGroupID"
    )
    lists.append(_from_start("warehouse.stock_item_stock_groups", groups))
    return lists


def customers(read: Read) -> Versions:
    """sales.customers; the delivery zone is the company's own, as the sample knows no other."""
    source = read("Sales.Customers")
    address = pl.concat_str("DeliveryAddressLine1", "DeliveryAddressLine2", separator=", ", ignore_nulls=True)
    final = source.select(
        pl.col("CustomerID").alias("customer_id"),
        pl.col("CustomerName").alias("customer_name"),
        pl.col("BillToCustomerID").alias("bill_to_customer_id"),
        pl.col("CustomerCategoryID").alias("customer_category_id"),
        whole("BuyingGroupID", "buying_group_id"),
        money("CreditLimit", "credit_limit"),
        pl.col("IsOnCreditHold").alias("is_on_credit_hold"),
        pl.col("PaymentDays").alias("payment_days"),
        pl.col("PhoneNumber").alias("phone_number"),
        address.alias("delivery_address_line"),
        pl.col("DeliveryPostalCode").cast(pl.String).alias("delivery_postal_code"),
        pl.lit(ZONE).alias("delivery_zone"),
        day("AccountOpenedDate", "account_opened_date"),
    )
    return _edited("sales.customers", final, source["AccountOpenedDate"], source["ValidFrom"])


def suppliers(read: Read) -> Versions:
    """purchasing.suppliers."""
    source = read("Purchasing.Suppliers")
    final = source.select(
        pl.col("SupplierID").alias("supplier_id"),
        pl.col("SupplierName").alias("supplier_name"),
        pl.col("SupplierCategoryID").alias("supplier_category_id"),
        pl.col("SupplierReference").alias("supplier_reference"),
        pl.col("PaymentDays").alias("payment_days"),
        pl.col("PhoneNumber").alias("phone_number"),
    )
    return _edited("purchasing.suppliers", final, _first_day(source), source["ValidFrom"])


def stock_items(read: Read) -> Versions:
    """warehouse.stock_items; every item of the sample is stocked."""
    packages = read("Warehouse.PackageTypes").select(
        "PackageTypeID", package=pl.col("PackageTypeName").str.strip_chars()
    )
    source = read("Warehouse.StockItems").join(
        packages, left_on="UnitPackageID", right_on="PackageTypeID", how="left", maintain_order="left"
    )
    final = source.select(
        pl.col("StockItemID").alias("stock_item_id"),
        pl.col("StockItemName").alias("stock_item_name"),
        pl.col("SupplierID").alias("supplier_id"),
        pl.col("package").alias("unit_package"),
        pl.col("QuantityPerOuter").alias("quantity_per_outer"),
        money("UnitPrice", "unit_price"),
        pl.col("TaxRate").cast(pl.Decimal(9, 3)).alias("tax_rate"),
        money("TypicalWeightPerUnit", "typical_weight_per_unit", 3),
        pl.col("LeadTimeDays").alias("lead_time_days"),
        pl.col("Barcode").cast(pl.Int64).cast(pl.String).alias("barcode"),
        pl.col("IsChillerStock").alias("is_chiller_stock"),
        pl.lit(True).alias("is_stocked"),
    )
    return _edited("warehouse.stock_items", final, _first_day(source), source["ValidFrom"])


def channels() -> Versions:
    """application.channels: the sample has none."""
    kinds: dict[str, Any] = {
        "channel_id": pl.Int64,
        "channel_code": pl.String,
        "channel_name": pl.String,
        "_at": pl.Datetime("us"),
    }
    return Versions.of("application.channels", pl.DataFrame(schema=kinds))


def _from_start(table: str, rows: pl.DataFrame) -> Versions:
    return Versions.of(table, rows.with_columns(at(START)))


def _first_day(source: pl.DataFrame) -> pl.Series:
    return pl.Series([START] * source.height, dtype=pl.Datetime("us"))


def _edited(table: str, final: pl.DataFrame, begun: pl.Series, edited: pl.Series) -> Versions:
    """A first version at `begun` and, when it was edited later, the second at `edited`."""
    rows = final.with_columns(begun.cast(pl.Datetime("us")).alias("_begun"), edited.alias("_edited"))
    first = rows.with_columns(
        pl.lit(1, pl.Int64).alias("row_version"), pl.col("_begun").alias("last_edited_when"), at(pl.col("_begun"))
    )
    later = rows.filter(pl.col("_edited") > pl.col("_begun")).with_columns(
        pl.lit(2, pl.Int64).alias("row_version"), pl.col("_edited").alias("last_edited_when"), at(pl.col("_edited"))
    )
    return Versions.of(table, first.drop("_begun", "_edited"), later.drop("_begun", "_edited"))
