-- grain: one hold per ERP; times are naive, in source_zone
{{ union_systems('erp', 'sales_order_holds', [
    ['order_hold_id', 'bigint'],
    ['order_id', 'bigint'],
    ['hold_kind', 'varchar'],
    ['placed_when', 'timestamp'],
    ['released_when', 'timestamp'],
    ['released_by', 'varchar'],
]) }}
