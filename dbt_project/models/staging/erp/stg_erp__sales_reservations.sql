-- grain: one reservation per ERP; times are naive, in source_zone
{{ union_systems('erp', 'sales_reservations', [
    ['reservation_id', 'bigint'],
    ['order_line_id', 'bigint'],
    ['site_id', 'bigint'],
    ['quantity', 'bigint'],
    ['kind', 'varchar'],
    ['reserved_when', 'timestamp'],
    ['released_when', 'timestamp'],
]) }}
