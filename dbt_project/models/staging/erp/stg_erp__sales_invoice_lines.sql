-- grain: one invoice or credit note line per ERP; times are naive, in source_zone
{{ union_systems('erp', 'sales_invoice_lines', [
    ['invoice_line_id', 'bigint'],
    ['invoice_id', 'bigint'],
    ['order_line_id', 'bigint'],
    ['stock_item_id', 'bigint'],
    ['description', 'varchar'],
    ['quantity', 'bigint'],
    ['unit_price', 'decimal(18,2)'],
    ['tax_rate', 'decimal(9,3)'],
    ['tax_amount', 'decimal(18,2)'],
    ['line_profit', 'decimal(18,2)'],
    ['extended_price', 'decimal(18,2)'],
    ['last_edited_when', 'timestamp'],
]) }}
