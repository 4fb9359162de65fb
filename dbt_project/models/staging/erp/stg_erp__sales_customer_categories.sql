-- grain: one customer category per ERP; times are naive, in source_zone
{{ union_systems('erp', 'sales_customer_categories', [
    ['customer_category_id', 'bigint'],
    ['customer_category_name', 'varchar'],
]) }}
