-- grain: one line change made in the ERP per ERP; times are naive, in source_zone
{{ union_systems('erp', 'sales_order_line_changes', [
    ['order_line_change_id', 'bigint'],
    ['order_line_id', 'bigint'],
    ['change_kind', 'varchar'],
    ['old_quantity', 'bigint'],
    ['new_quantity', 'bigint'],
    ['initiator', 'varchar'],
    ['reason', 'varchar'],
    ['changed_when', 'timestamp'],
]) }}
