-- grain: one supplier per ERP; times are naive, in source_zone
{{ union_systems('erp', 'purchasing_suppliers', [
    ['supplier_id', 'bigint'],
    ['supplier_name', 'varchar'],
    ['supplier_category_id', 'bigint'],
    ['supplier_reference', 'varchar'],
    ['payment_days', 'bigint'],
    ['phone_number', 'varchar'],
    ['row_version', 'bigint'],
    ['last_edited_when', 'timestamp'],
]) }}
