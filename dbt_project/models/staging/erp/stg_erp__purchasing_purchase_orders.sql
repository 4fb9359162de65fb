-- grain: one purchase order per ERP; times are naive, in source_zone
{{ union_systems('erp', 'purchasing_purchase_orders', [
    ['purchase_order_id', 'bigint'],
    ['supplier_id', 'bigint'],
    ['site_id', 'bigint'],
    ['order_date', 'date'],
    ['expected_delivery_date', 'date'],
    ['supplier_reference', 'varchar'],
    ['is_order_finalized', 'boolean'],
    ['last_edited_when', 'timestamp'],
]) }}
