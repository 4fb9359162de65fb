-- grain: one return line per ERP; times are naive, in source_zone
{{ union_systems('erp', 'sales_return_lines', [
    ['return_line_id', 'bigint'],
    ['return_id', 'bigint'],
    ['order_line_id', 'bigint'],
    ['stock_item_id', 'bigint'],
    ['authorized_quantity', 'bigint'],
    ['received_quantity', 'bigint'],
    ['credited_quantity', 'bigint'],
    ['reason', 'varchar'],
    ['disposition', 'varchar'],
    ['last_edited_when', 'timestamp'],
]) }}
