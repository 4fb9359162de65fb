-- grain: one return per ERP; times are naive, in source_zone
{{ union_systems('erp', 'sales_returns', [
    ['return_id', 'bigint'],
    ['customer_id', 'bigint'],
    ['order_id', 'bigint'],
    ['authorized_when', 'timestamp'],
    ['received_when', 'timestamp'],
    ['credited_invoice_id', 'bigint'],
    ['last_edited_when', 'timestamp'],
]) }}
