-- grain: one item group per ERP; times are naive, in source_zone
{{ union_systems('erp', 'warehouse_stock_groups', [
    ['stock_group_id', 'bigint'],
    ['stock_group_name', 'varchar'],
]) }}
