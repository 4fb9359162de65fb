-- grain: one order (a backorder is an order of its own) per ERP; times are naive, in source_zone
{{ union_systems('erp', 'sales_orders', [
    ['order_id', 'bigint'],
    ['customer_id', 'bigint'],
    ['backorder_order_id', 'bigint'],
    ['site_id', 'bigint'],
    ['channel_id', 'bigint'],
    ['order_date', 'date'],
    ['expected_delivery_date', 'date'],
    ['customer_purchase_order_number', 'varchar'],
    ['oms_order_number', 'varchar'],
    ['is_undersupply_backordered', 'boolean'],
    ['picking_completed_when', 'timestamp'],
    ['order_status', 'varchar'],
    ['last_edited_when', 'timestamp'],
]) }}
