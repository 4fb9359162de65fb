-- grain: one customer ledger posting per ERP; times are naive, in source_zone
{{ union_systems('erp', 'sales_customer_transactions', [
    ['customer_transaction_id', 'bigint'],
    ['customer_id', 'bigint'],
    ['transaction_type_id', 'bigint'],
    ['invoice_id', 'bigint'],
    ['transaction_date', 'date'],
    ['amount_excluding_tax', 'decimal(18,2)'],
    ['tax_amount', 'decimal(18,2)'],
    ['transaction_amount', 'decimal(18,2)'],
    ['outstanding_balance', 'decimal(18,2)'],
    ['finalization_date', 'date'],
    ['last_edited_when', 'timestamp'],
]) }}
