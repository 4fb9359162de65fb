-- grain: one purchase order line per ERP; times are naive, in source_zone
{{ union_systems('erp', 'purchasing_purchase_order_lines', [
    ['purchase_order_line_id', 'bigint'],
    ['purchase_order_id', 'bigint'],
    ['stock_item_id', 'bigint'],
    ['ordered_outers', 'bigint'],
    ['received_outers', 'bigint'],
    ['expected_unit_price_per_outer', 'decimal(18,2)'],
    ['last_receipt_date', 'date'],
    ['is_order_line_finalized', 'boolean'],
    ['last_edited_when', 'timestamp'],
]) }}
