-- The wwi world's history as the ERP dialect's current state. {data} is the folder that holds the Parquet files.
insert into raw_erp.application_legal_entities by name
select 1 as legal_entity_id, 'Wide World Importers' as legal_entity_name, 'USD' as currency, 'America/Los_Angeles' as zone;

insert into raw_erp.application_sites by name
select 1 as site_id, 'WWI' as site_code, 'Wide World Importers DC' as site_name, 'America/Los_Angeles' as zone, 1 as legal_entity_id;

insert into raw_erp.application_transaction_types by name
select TransactionTypeID as transaction_type_id, TransactionTypeName as transaction_type_name
from '{data}/Application.TransactionTypes.parquet';

insert into raw_erp.sales_customer_categories by name
select CustomerCategoryID as customer_category_id, CustomerCategoryName as customer_category_name
from '{data}/Sales.CustomerCategories.parquet';

insert into raw_erp.sales_buying_groups by name
select BuyingGroupID as buying_group_id, BuyingGroupName as buying_group_name from '{data}/Sales.BuyingGroups.parquet';

insert into raw_erp.sales_customers by name
select
    CustomerID as customer_id, CustomerName as customer_name, BillToCustomerID as bill_to_customer_id,
    CustomerCategoryID as customer_category_id, BuyingGroupID as buying_group_id, CreditLimit as credit_limit,
    IsOnCreditHold as is_on_credit_hold, PaymentDays as payment_days, PhoneNumber as phone_number,
    DeliveryAddressLine1 as delivery_address_line, DeliveryPostalCode as delivery_postal_code,
    'America/Los_Angeles' as delivery_zone, AccountOpenedDate as account_opened_date, 1 as row_version,
from '{data}/Sales.Customers.parquet';

insert into raw_erp.warehouse_stock_groups by name
select StockGroupID as stock_group_id, StockGroupName as stock_group_name from '{data}/Warehouse.StockGroups.parquet';

insert into raw_erp.warehouse_stock_item_stock_groups by name
select StockItemStockGroupID as stock_item_stock_group_id, StockItemID as stock_item_id, StockGroupID as stock_group_id
from '{data}/Warehouse.StockItemStockGroups.parquet';

insert into raw_erp.warehouse_stock_items by name
select
    StockItemID as stock_item_id, StockItemName as stock_item_name, SupplierID as supplier_id, 'Each' as unit_package,
    QuantityPerOuter as quantity_per_outer, UnitPrice as unit_price, TaxRate as tax_rate,
    TypicalWeightPerUnit as typical_weight_per_unit, LeadTimeDays as lead_time_days,
    IsChillerStock as is_chiller_stock, true as is_stocked, 1 as row_version,
from '{data}/Warehouse.StockItems.parquet';

insert into raw_erp.warehouse_stock_item_holdings by name
select
    StockItemID as stock_item_holding_id, StockItemID as stock_item_id, 1 as site_id,
    QuantityOnHand as quantity_on_hand, LastCostPrice as last_cost_price, LastEditedWhen as last_edited_when,
from '{data}/Warehouse.StockItemHoldings.parquet';

insert into raw_erp.warehouse_stock_item_transactions by name
select
    StockItemTransactionID as stock_item_transaction_id, StockItemID as stock_item_id, 1 as site_id,
    TransactionTypeID as transaction_type_id, CustomerID as customer_id, InvoiceID as invoice_id,
    SupplierID as supplier_id, PurchaseOrderID as purchase_order_id,
    TransactionOccurredWhen as transaction_occurred_when, Quantity as quantity,
from '{data}/Warehouse.StockItemTransactions.parquet';

insert into raw_erp.purchasing_supplier_categories by name
select SupplierCategoryID as supplier_category_id, SupplierCategoryName as supplier_category_name
from '{data}/Purchasing.SupplierCategories.parquet';

insert into raw_erp.purchasing_suppliers by name
select
    SupplierID as supplier_id, SupplierName as supplier_name, SupplierCategoryID as supplier_category_id,
    SupplierReference as supplier_reference, PaymentDays as payment_days, PhoneNumber as phone_number, 1 as row_version,
from '{data}/Purchasing.Suppliers.parquet';

insert into raw_erp.purchasing_purchase_orders by name
select
    PurchaseOrderID as purchase_order_id, SupplierID as supplier_id, 1 as site_id, OrderDate as order_date,
    ExpectedDeliveryDate as expected_delivery_date, SupplierReference as supplier_reference,
    IsOrderFinalized as is_order_finalized,
from '{data}/Purchasing.PurchaseOrders.parquet';

insert into raw_erp.purchasing_purchase_order_lines by name
select
    PurchaseOrderLineID as purchase_order_line_id, PurchaseOrderID as purchase_order_id, StockItemID as stock_item_id,
    OrderedOuters as ordered_outers, ReceivedOuters as received_outers,
    ExpectedUnitPricePerOuter as expected_unit_price_per_outer, LastReceiptDate as last_receipt_date,
    IsOrderLineFinalized as is_order_line_finalized,
from '{data}/Purchasing.PurchaseOrderLines.parquet';

insert into raw_erp.sales_orders by name
select
    OrderID as order_id, CustomerID as customer_id, BackorderOrderID as backorder_order_id, 1 as site_id,
    OrderDate as order_date, ExpectedDeliveryDate as expected_delivery_date,
    CustomerPurchaseOrderNumber as customer_purchase_order_number,
    IsUndersupplyBackordered as is_undersupply_backordered, PickingCompletedWhen as picking_completed_when,
from '{data}/Sales.Orders.parquet';

insert into raw_erp.sales_order_lines by name
select
    OrderLineID as order_line_id, OrderID as order_id, StockItemID as stock_item_id, Description as description,
    Quantity as quantity, UnitPrice as unit_price, TaxRate as tax_rate, PickedQuantity as picked_quantity,
    PickingCompletedWhen as picking_completed_when,
from '{data}/Sales.OrderLines.parquet';

insert into raw_erp.sales_invoices by name
select
    map.InvoiceID as invoice_id, map.CustomerID as customer_id, map.BillToCustomerID as bill_to_customer_id,
    map.OrderID as order_id, map.InvoiceDate as invoice_date, false as is_credit_note,
    may.ReturnedDeliveryData as returned_delivery_data, may.ConfirmedDeliveryTime as confirmed_delivery_time,
    may.ConfirmedReceivedBy as confirmed_received_by,
from '{data}/derived_Sales.InvoiceOrderMap.parquet' as map
left join '{data}/Sales.Invoices_May.parquet' as may using (InvoiceID);

insert into raw_erp.sales_invoice_lines by name
select
    InvoiceLineID as invoice_line_id, InvoiceID as invoice_id, StockItemID as stock_item_id,
    Description as description, Quantity as quantity, UnitPrice as unit_price, TaxRate as tax_rate,
    TaxAmount as tax_amount, LineProfit as line_profit, ExtendedPrice as extended_price,
from '{data}/Sales.InvoiceLines.parquet';
