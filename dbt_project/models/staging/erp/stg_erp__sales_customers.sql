-- grain: one customer per ERP; times are naive, in source_zone
{{ union_systems('erp', 'sales_customers', [
    ['customer_id', 'bigint'],
    ['customer_name', 'varchar'],
    ['bill_to_customer_id', 'bigint'],
    ['customer_category_id', 'bigint'],
    ['buying_group_id', 'bigint'],
    ['credit_limit', 'decimal(18,2)'],
    ['is_on_credit_hold', 'boolean'],
    ['payment_days', 'bigint'],
    ['phone_number', 'varchar'],
    ['delivery_address_line', 'varchar'],
    ['delivery_postal_code', 'varchar'],
    ['delivery_zone', 'varchar'],
    ['account_opened_date', 'date'],
    ['row_version', 'bigint'],
    ['last_edited_when', 'timestamp'],
]) }}
