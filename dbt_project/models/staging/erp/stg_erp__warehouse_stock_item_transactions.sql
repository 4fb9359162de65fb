-- grain: one stock posting per ERP; times are naive, in source_zone
{{ union_systems('erp', 'warehouse_stock_item_transactions', [
    ['stock_item_transaction_id', 'bigint'],
    ['stock_item_id', 'bigint'],
    ['site_id', 'bigint'],
    ['transaction_type_id', 'bigint'],
    ['customer_id', 'bigint'],
    ['invoice_id', 'bigint'],
    ['supplier_id', 'bigint'],
    ['purchase_order_id', 'bigint'],
    ['transaction_occurred_when', 'timestamp'],
    ['quantity', 'decimal(18,3)'],
    ['last_edited_when', 'timestamp'],
]) }}
