-- grain: one item x group per ERP; times are naive, in source_zone
{{ union_systems('erp', 'warehouse_stock_item_stock_groups', [
    ['stock_item_stock_group_id', 'bigint'],
    ['stock_item_id', 'bigint'],
    ['stock_group_id', 'bigint'],
]) }}
