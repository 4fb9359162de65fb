-- grain: one order line, on the order it stands on now per ERP; times are naive, in source_zone
{{ union_systems('erp', 'sales_order_lines', [
    ['order_line_id', 'bigint'],
    ['order_id', 'bigint'],
    ['parent_order_line_id', 'bigint'],
    ['substitute_for_line_id', 'bigint'],
    ['oms_line_no', 'bigint'],
    ['stock_item_id', 'bigint'],
    ['description', 'varchar'],
    ['quantity', 'bigint'],
    ['unit_price', 'decimal(18,2)'],
    ['tax_rate', 'decimal(9,3)'],
    ['picked_quantity', 'bigint'],
    ['picking_completed_when', 'timestamp'],
    ['last_edited_when', 'timestamp'],
]) }}
