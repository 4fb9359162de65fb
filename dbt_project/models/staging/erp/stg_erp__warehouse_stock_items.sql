-- grain: one item per ERP; times are naive, in source_zone
{{ union_systems('erp', 'warehouse_stock_items', [
    ['stock_item_id', 'bigint'],
    ['stock_item_name', 'varchar'],
    ['supplier_id', 'bigint'],
    ['unit_package', 'varchar'],
    ['quantity_per_outer', 'bigint'],
    ['unit_price', 'decimal(18,2)'],
    ['tax_rate', 'decimal(9,3)'],
    ['typical_weight_per_unit', 'decimal(18,3)'],
    ['lead_time_days', 'bigint'],
    ['barcode', 'varchar'],
    ['is_chiller_stock', 'boolean'],
    ['is_stocked', 'boolean'],
    ['row_version', 'bigint'],
    ['last_edited_when', 'timestamp'],
]) }}
